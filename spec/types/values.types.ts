// Checked by `tsc --noEmit` alone: nothing here runs.
import {
  accept,
  type ByReference,
  byReference,
  callSignal,
  connect,
  type Given,
  type Received,
  type Remote,
  type RemoteFunction,
  type RemotePromise,
  RemoteTarget,
  registerClass,
  registerType,
  release,
  transfer,
  type Unawaited,
  withOptions,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const is: <T extends true>() => T;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

interface Row {
  readonly id: number;
  readonly at: Date;
  readonly note?: string;
}

interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
  parent?: Tree;
}

class Account extends RemoteTarget {
  balance = 0;
  pay(amount: number): number {
    this.balance -= amount;
    return this.balance;
  }
}

class Decimal {
  constructor(readonly digits: string) {}
  plus(other: Decimal): Decimal {
    return new Decimal(this.digits + other.digits);
  }
}

declare module '../../lib/module/remote.ts' {
  interface RegisteredClasses {
    Decimal: Decimal;
  }
}

interface Store {
  rows(): AsyncGenerator<Row, number>;
  feed(): AsyncIterable<{ row: Row; drop(): void }>;
  later(): Promise<AsyncGenerator<string, void>>;
  bytes(): ReadableStream<Uint8Array>;
  sink(): WritableStream<Row>;
  both(): TransformStream<string, Row>;
  row(id: number): Row;
  find(id: number): Row | undefined;
  tree(): Tree;
  account(name: string): Account;
  accounts(): Account[];
  marked(): ByReference<{ open(): boolean }>;
  decimal(): Decimal;
  nested(): { run(by: number): number; list: (() => string)[]; at: Date; deep: { stop(): Promise<void> } };
  table(): Map<string, () => number>;
  names(): ReadonlySet<string>;
  wholes(): [Buffer, Float64Array, ArrayBuffer, SharedArrayBuffer, RegExp, URL, RangeError, AbortSignal];
  never(): never;
  anything(): unknown;
  loose(): ReturnType<typeof JSON.parse>;
  show(row: Row): string;
  sum(...values: number[]): number;
  all(rows: Row[], pair: [number, string]): number;
  move(from: Account, to: Account): void;
  watch(signal: AbortSignal): void;
  each(callback: (row: Row, undo: () => number) => void): void;
  map(options: { size: number; pick(row: Row): string }): string[];
  read(rows: AsyncIterable<Row>): number;
  text(text?: string): string;
}
declare const store: Remote<Store>;

// Async iterables arrive as iterators, and are read without awaiting the call.
typeOf(await store.rows()).is<AsyncGenerator<Row, number, undefined>>();
typeOf(await store.later()).is<AsyncGenerator<string, void, undefined>>();
for await (const row of store.rows()) typeOf(row).is<Row>();
for await (const row of await store.rows()) typeOf(row).is<Row>();
for await (const text of store.later()) typeOf(text).is<string>();
for await (const { row, drop } of store.feed()) {
  typeOf(row).is<Row>();
  typeOf(drop()).is<RemotePromise<void>>();
}
{
  await using rows = await store.rows();
  typeOf((await rows.return(1)).value).is<Row | number>();
}
// @ts-expect-error a row is nothing to iterate over
for await (const _ of store.row(1)); // eslint-disable-line @typescript-eslint/await-thenable
// @ts-expect-error what is given to `next` does not cross
await (await store.rows()).next(5);

// Web streams stay what they are.
typeOf(await store.bytes()).is<ReadableStream<Uint8Array>>();
typeOf(await store.sink()).is<WritableStream<Row>>();
typeOf((await store.both()).readable).is<ReadableStream<Row>>();

// Plain data keeps its name, recursive types are no trouble, and built-in classes stay whole.
typeOf(await store.row(1)).is<Row>();
typeOf(await store.find(1)).is<Row | undefined>();
typeOf((await store.tree()).children[0]!.value).is<number>();
typeOf((await store.tree()).parent!.parent!.children[0]!.value).is<number>();
typeOf(await store.wholes()).is<
  [Buffer, Float64Array, ArrayBuffer, SharedArrayBuffer, RegExp, URL, RangeError, AbortSignal]
>();
typeOf(await store.names()).is<ReadonlySet<string>>();
typeOf(await store.anything()).is<unknown>();
is<Equal<Received<string | number | undefined>, string | number | undefined>>();
is<Equal<Received<object>, object>>();
// A call that never returns normally ends nothing here.
const reachable: RemotePromise<never> = store.never();
reachable.catch(() => {});

// What lives over there arrives as a remote: by its class, by its mark, and inside of other values.
const account = await store.account('a');
typeOf(account).is<Remote<Account>>();
typeOf(await account.pay(3)).is<number>();
typeOf(await store.account('a').pay(3)).is<number>();
typeOf(await account.balance).is<number>();
typeOf(await store.accounts()).is<Remote<Account>[]>();
typeOf(await (await store.marked()).open()).is<boolean>();
typeOf(await store.marked().open()).is<boolean>();
// @ts-expect-error it is not here
account.pay(3).toFixed();
const local = byReference({ open: (): boolean => true, size: 3 as number });
typeOf(local.size).is<number>();
typeOf(local.open()).is<boolean>();

// An instance of a registered class has its own methods.
typeOf(await store.decimal()).is<Decimal>();

// Functions inside of data are remote functions.
const nested = await store.nested();
typeOf(nested.run(1)).is<RemotePromise<number>>();
typeOf(nested.list[0]!()).is<RemotePromise<string>>();
typeOf(nested.at).is<Date>();
typeOf(nested.deep.stop()).is<RemotePromise<void>>();
typeOf((await store.table()).get('x')!()).is<RemotePromise<number>>();
// @ts-expect-error it answers later
nested.run(1).toFixed();

// Results that were not awaited are arguments, also one level down.
await store.show(store.row(1));
await store.sum(1, store.sum(2, 3), await store.account('a').balance);
// @ts-expect-error a property is awaited, because nobody here knows whether it is a function
await store.sum(store.account('a').balance);
await store.all([store.row(1), await store.row(2)], [store.sum(1), 'x']);
await store.show({ id: store.sum(1), at: new Date() });
await store.text(store.show(store.row(1)));
await store.text();
// @ts-expect-error the result of another type
await store.sum(store.show(store.row(1)));
// @ts-expect-error a promise that no call gave does not cross
await store.sum(Promise.resolve(1));
// @ts-expect-error a part of another type
await store.show({ id: store.text(), at: new Date() });
// @ts-expect-error a part too few
await store.show({ id: 1 });
declare const unawaited: Unawaited<number>;
await store.sum(unawaited);
is<Equal<Parameters<Remote<Store>['watch']>, [signal: Given<AbortSignal>]>>();
await store.watch(new AbortController().signal);
// @ts-expect-error the controller stays here
await store.watch(new AbortController());

// A reference goes home.
await store.move(account, await store.account('b'));
await store.move(account, store.account('b'));
// @ts-expect-error a module is no account
await store.move(account, store);

// Callbacks get what arrives, and answer at once or later.
await store.each((row, undo) => {
  typeOf(row).is<Row>();
  typeOf(undo()).is<RemotePromise<number>>();
});
await store.each(async (row) => row.id);
await store.map({ size: 1, pick: (row) => row.note ?? '' });
await store.map({ size: store.sum(1), pick: async ({ id }) => String(id) });
// @ts-expect-error a callback of another result
await store.map({ size: 1, pick: (row) => row.id });
// @ts-expect-error it arrives as a remote function
await store.each((_row, undo) => undo().toFixed());
await store.read(
  (async function* () {
    yield { id: 1, at: new Date() };
  })(),
);
await store.read(store.rows());

// A call's bounds.
typeOf(withOptions(store, { timeout: 5 })).is<Remote<Store>>();
typeOf(await withOptions(store.row, { signal: new AbortController().signal })(1)).is<Row>();
typeOf(callSignal()).is<AbortSignal | undefined>();
// @ts-expect-error a bound is a number
withOptions(store, { timeout: '5' });
// @ts-expect-error what is here has no calls to bound
withOptions({ row: () => 1 }, { timeout: 5 });

// What is remote can be given back, and nothing else.
release(store);
release(account);
release(store.row(1));
release(await store.marked());
{
  using held = await store.account('c');
  typeOf(held).is<Remote<Account>>();
}
is<Remote<Store> extends Disposable ? true : false>();
is<RemoteFunction<() => void> extends Disposable ? true : false>();
// @ts-expect-error data is not held over there
release(await store.row(1));
// @ts-expect-error an object of this program is its own
release(local);

// Peers.
const peer = await connect<Store>('ws://localhost:1', { main: { x: 1 }, timeout: 5 });
typeOf(peer.main).is<Remote<Store>>();
typeOf(await peer.main.row(1)).is<Row>();
typeOf((await connect('ws://localhost:1')).main).is<Remote<object>>();
declare const socket: import('ws').WebSocket;
typeOf(accept<Store>(socket, { limits: { calls: 5 } }).main).is<Remote<Store>>();
// @ts-expect-error a limit that there is not
accept<Store>(socket, { limits: { call: 5 } });
// @ts-expect-error a main object is an object
await connect<number>('ws://localhost:1');

// Registrations and transfer.
registerClass(Decimal);
registerClass(Decimal, 'math.Decimal');
registerType({
  name: 'Decimal',
  isApplicable: (value): value is Decimal => value instanceof Decimal,
  serialize: ({ digits }) => digits,
  deserialize: (digits: string) => new Decimal(digits),
});
typeOf(transfer(new Uint8Array(5))).is<Uint8Array<ArrayBuffer>>();
// @ts-expect-error nothing to move
transfer('text');

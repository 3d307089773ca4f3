// Checked by `tsc --noEmit` alone: nothing here runs.
import {
  from,
  functor,
  type Received,
  type Releasable,
  type Remote,
  type RemoteFunction,
  RemoteManager,
  type RemotePromise,
  type RemoteReference,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const is: <T extends true>() => T;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

interface Point {
  readonly x: number;
  readonly y: number;
}

declare class Counter {
  constructor(start: number);
  static readonly made: number;
  static reset(): void;
  readonly value: number;
  add(by?: number): number;
  later(): Promise<Counter>;
}

interface Library {
  readonly PI: number;
  readonly settings: { readonly unit: string; readonly digits: number[] };
  readonly maybe: string | undefined;
  add(a: number, b: number): number;
  area(radius: number): Promise<number>;
  say(text: string): void;
  point(): Point;
  nested(): { readonly inner: Promise<number>; scale(by: number): Point };
  adder(by: number): (value: number) => number;
  mapWith(values: number[], callback: (value: number) => number | Promise<number>): Promise<number[]>;
  all(...values: number[]): number[];
  Counter: typeof Counter;
  then(): void;
}

declare const remote: Remote<Library>;

// A function gives a promise of what it returned, whether it did so at once or later.
typeOf(await remote.add(1, 2)).is<number>();
typeOf(await remote.area(2)).is<number>();
typeOf(await remote.say('x')).is<void>();
typeOf(await remote.point()).is<Point>();
typeOf(await remote.all(1, 2, 3)).is<number[]>();
is<Equal<ReturnType<typeof remote.add>, RemotePromise<number>>>();
// @ts-expect-error not before it is awaited
remote.add(1, 2).toFixed();
// @ts-expect-error an argument of another type
void remote.add('1', 2);
// @ts-expect-error an argument too few
void remote.add(1);
// @ts-expect-error a function that is not there
remote.subtract(1, 2);

// A constant is awaited, and used before it arrives.
typeOf(await remote.PI).is<number>();
typeOf(await remote.settings).is<{ readonly unit: string; readonly digits: number[] }>();
typeOf(await remote.settings.unit).is<string>();
typeOf(await remote.maybe).is<string | undefined>();
// @ts-expect-error a constant is no number until it has arrived
remote.PI + 1;
// @ts-expect-error nothing over there can be set
remote.PI = 3;

// A result's members are used before it arrives: one round trip.
typeOf(await remote.point().x).is<number>();
typeOf(await remote.nested().scale(2).y).is<number>();
typeOf(await remote.nested().inner).is<number>();

// A function that a call gives is a remote function, usable at once.
const plus = await remote.adder(1);
typeOf(await plus(2)).is<number>();
typeOf(await remote.adder(1)(2)).is<number>();
is<Equal<Received<(value: number) => Promise<string>>, RemoteFunction<(value: number) => Promise<string>>>>();
is<Equal<ReturnType<RemoteFunction<(value: number) => Promise<string>>>, RemotePromise<string>>>();

// A callback may answer at once or later.
typeOf(await remote.mapWith([1], (value) => value * 2)).is<number[]>();
typeOf(await remote.mapWith([1], async (value) => value * 2)).is<number[]>();

// A class is constructed over there; its instance stays there, and is usable at once.
const counter = await new remote.Counter(5);
typeOf(counter).is<Remote<Counter>>();
typeOf(await counter.add()).is<number>();
typeOf(await counter.value).is<number>();
typeOf(await new remote.Counter(5).add(2)).is<number>();
typeOf(await remote.Counter.made).is<number>();
typeOf(await remote.Counter.reset()).is<void>();
// @ts-expect-error its arguments are checked
void new remote.Counter('5');
// @ts-expect-error without `new` it can't be called
remote.Counter(5);

// What is awaited must have no `then` of its own, and symbols do not cross.
// @ts-expect-error it is left out
remote.then();
is<Equal<keyof Remote<{ [Symbol.iterator](): void; a: 1; then: 2 }>, 'a' | keyof Releasable>>();

// A reference is the proxy and a promise of it.
declare const reference: RemoteReference<Library>;
typeOf(await reference).is<Remote<Library>>();
typeOf(await reference.add(1, 2)).is<number>();

const site = new RemoteManager();

// A link takes the type of a module, and is usable before it is awaited.
const linked = site.link<Library>(new URL('file:///library.js'));
typeOf(await linked).is<Remote<Library>>();
typeOf(await linked.add(1, 2)).is<number>();
typeOf(await site.link<typeof import('node:os')>({ name: 'node:os' }).hostname()).is<string>();
void site.link<Library>('./library.js', { timeout: 5, signal: new AbortController().signal });
void site.link<Library>({ url: 'file:///library.js' });
// @ts-expect-error a target is a URL or a name
void site.link<Library>({ path: './library.js' });
// @ts-expect-error a bound is a number
void site.link<Library>('./library.js', { timeout: '5' });
// @ts-expect-error a module is an object
void site.link<number>('./library.js');

// The module that a functor makes is inferred.
const host = functor({ import: { os: 'node:os' } }, ({ os }) => ({ host: () => os.hostname(), cores: 4 }));
const applied = await site.apply(host);
typeOf(applied).is<Remote<{ host: () => string; cores: number }>>();
typeOf(await applied.host()).is<string>();
typeOf(await applied.cores).is<number>();
typeOf(await site.apply(host).host()).is<string>();
const late = functor(async () => ({ answer: 42 }));
typeOf(await site.apply(late).answer).is<number>();
const typed = functor({ import: { library: from<Library>('./library.js') } }, ({ library }) => ({
  twice: (value: number) => library.add(value, value),
}));
typeOf(await site.apply(typed, { url: 'file:///x/' }).twice(21)).is<number>();
// @ts-expect-error only a functor can be applied
void site.apply(() => ({ answer: 42 }));
// @ts-expect-error nothing of the kind is in the module
site.apply(host).hosts();

// What else a manager gives.
typeOf(await site.ping()).is<number>();
typeOf(await site.ready).is<void>();
typeOf(site.enter({ name: 'x' }, { y: 1 })).is<Promise<void>>();
typeOf(site.close()).is<Promise<void>>();
typeOf(site.pid).is<number | undefined>();
site.on('exit', ({ code, signal, reason, stderr }) => {
  typeOf(code).is<number | null>();
  typeOf(signal).is<NodeJS.Signals | null>();
  typeOf(reason).is<'closed' | 'crashed' | 'fork-failed' | 'disconnected' | 'oom' | 'unreachable'>();
  typeOf(stderr).is<readonly string[]>();
});
// @ts-expect-error an event that there is not
site.on('ready', () => {});
// @ts-expect-error an option that there is not
new RemoteManager({ hosts: 'bamse' });
new RemoteManager({ fork: 'srun' });
new RemoteManager({ fork: ['docker', 'exec', '-i', '{host}'] });
// @ts-expect-error a fork method is text or words
new RemoteManager({ fork: 7 });

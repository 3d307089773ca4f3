// Checked by `tsc --noEmit` alone: nothing here runs.
import { createActor, fromCallback, fromPromise, fromTransition, setup } from 'xstate';
import { createRemoteActor, fromSite, type RemoteManager, type RemoteSnapshot } from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };
declare const site: RemoteManager;

const machine = setup({
  types: {
    context: {} as { count: number },
    events: {} as { type: 'add'; by: number } | { type: 'reset' },
    input: {} as { from: number },
    output: {} as { sum: number },
    emitted: {} as { type: 'counted'; count: number },
  },
}).createMachine({
  context: ({ input }) => ({ count: input.from }),
  initial: 'on',
  states: { on: {}, off: { type: 'final' } },
  output: ({ context }) => ({ sum: context.count }),
});
const twice = fromPromise(async ({ input }: { input: number }) => input * 2);
const flip = fromTransition((on: boolean, _event: { type: 'flip' }) => !on, false);
const listen = fromCallback<{ type: 'hear'; word: string }, undefined>(() => {});
interface Module {
  readonly machine: typeof machine;
  readonly twice: typeof twice;
  readonly flip: typeof flip;
  readonly listen: typeof listen;
  readonly version: string;
}
type OnlyMachine = Pick<Module, 'machine' | 'version'>;

// Of a module with one logic, its name need not be said twice.
const actor = createRemoteActor<OnlyMachine>(site, './m.js', 'machine', { input: { from: 1 } });
actor.send({ type: 'add', by: 1 });
// @ts-expect-error: no such event
actor.send({ type: 'subtract' });
// @ts-expect-error: `by` is missing
actor.send({ type: 'add' });
actor.on('counted', (event) => typeOf(event.count).is<number>());
const snapshot = actor.getSnapshot();
// Nothing may have come yet.
typeOf(snapshot.context).is<{ count: number } | undefined>();
typeOf(snapshot.matches('on')).is<boolean>();
// @ts-expect-error: no such state
snapshot.matches('between');
// @ts-expect-error: the machine is not here
void snapshot.can;
if (snapshot.status === 'done') typeOf(snapshot.output).is<{ sum: number }>();

// @ts-expect-error: there is no such export
createRemoteActor<OnlyMachine>(site, './m.js', 'engine');
// @ts-expect-error: `version` is no actor logic
createRemoteActor<OnlyMachine>(site, './m.js', 'version');
// @ts-expect-error: the module has several, so the name is needed as a type too
createRemoteActor<Module>(site, './m.js', 'machine');
// @ts-expect-error: the input is of another type
createRemoteActor<Module, 'twice'>(site, './m.js', 'twice', { input: 'x' });
// @ts-expect-error: no such option
createRemoteActor<Module, 'twice'>(site, './m.js', 'twice', { mailbocks: 1 });

const promised = createRemoteActor<Module, 'twice'>(() => site, './m.js', 'twice', { input: 1 });
typeOf(promised.getSnapshot().output).is<number | undefined>();
const flipped = createRemoteActor<Module, 'flip'>(site, './m.js', 'flip');
typeOf(flipped.getSnapshot().context).is<boolean | undefined>();
flipped.send({ type: 'flip' });

// In a machine it is logic as any other.
const parent = setup({
  actors: { worker: fromSite<Module, 'machine'>(site, './m.js', 'machine') },
}).createMachine({
  invoke: {
    src: 'worker',
    input: { from: 1 },
    onDone: { actions: ({ event }) => typeOf(event.output).is<{ sum: number }>() },
    onSnapshot: {
      actions: ({ event }) => typeOf(event.snapshot.context).is<{ count: number } | undefined>(),
    },
  },
});
createActor(parent).start();
setup({ actors: { worker: fromSite<Module, 'machine'>(site, './m.js', 'machine') } }).createMachine({
  // @ts-expect-error: the input is missing
  invoke: { src: 'worker' },
});

type Loading = RemoteSnapshot<{ status: 'active'; output: undefined; error: undefined; context: number }>;
declare const loading: Loading;
typeOf(loading.context).is<number | undefined>();

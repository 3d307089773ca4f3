import type { ActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import { unheard } from './snapshot.ts';
import { type Plan, StandIn, standInOf, type Told } from './stand-in.ts';

/** Under this a stand-in's persisted state holds that of the actor over there, as `persist` gave it. */
export const TAKEN = 'offsite.snapshot';

/** The persisted state of a stand-in. */
type Persisted = Snapshot<unknown> & { readonly input?: unknown; readonly [TAKEN]?: Snapshot<unknown> };

/** What an actor is started with; `taken` is the state that it is to have, or that was taken of it last. */
interface Beginning {
  readonly input: unknown;
  readonly taken?: Snapshot<unknown> | undefined;
}

/** By the stand-in's snapshots, which XState hands from one step to the next, and which users look at. */
const beginnings = new WeakMap<object, Beginning>();

const begin = (snapshot: Snapshot<unknown>, beginning: Beginning | undefined): Snapshot<unknown> => {
  if (beginning) beginnings.set(snapshot, beginning);
  return snapshot;
};

/** Notes the state of the actor that a stand-in stands for, for whoever persists its parent: that can't wait. */
export const noteTaken = (actor: AnyActorRef, taken: Snapshot<unknown>): void => {
  const snapshot = actor.getSnapshot() as Snapshot<unknown>;
  begin(snapshot, { input: beginnings.get(snapshot)?.input, taken });
};

/** Logic whose actors stand for one in another site: they do nothing but tell there and be told. */
export const logicOf = (plan: Plan): ActorLogic<Snapshot<unknown>, EventObject> => ({
  config: plan,
  getInitialSnapshot: (_scope, input) => begin(unheard(input), { input }),
  restoreSnapshot: (persisted) => {
    const { input, [TAKEN]: taken, ...state } = persisted as Persisted;
    // It had ended, so nothing is started.
    if (persisted.status !== 'active') return state as Snapshot<unknown>;
    return begin(unheard(input), { input, taken: TAKEN in persisted ? taken : persisted });
  },
  start: (snapshot, scope) => {
    const { input, taken } = beginnings.get(snapshot) ?? { input: undefined };
    new StandIn(plan, scope, input, taken);
  },
  transition: (snapshot, event, scope) => {
    const told = event as Told | { type: 'xstate.stop' };
    switch (told.type) {
      case 'offsite.snapshot':
        return begin(told.snapshot, beginnings.get(snapshot));
      case 'offsite.error':
        return mark(snapshot, { status: 'error', output: undefined, error: told.error });
      case 'xstate.stop':
        standInOf(scope.self)?.stop();
        return mark(snapshot, { status: 'stopped', output: undefined, error: undefined });
    }
    // Sent before it was started.
    standInOf(scope.self)?.post(event);
    return snapshot;
  },
  getPersistedSnapshot: (snapshot) => {
    const { status, output, error } = snapshot;
    const { input, taken } = beginnings.get(snapshot) ?? { input: undefined };
    return { status, output, error, input, [TAKEN]: taken } as unknown as Snapshot<unknown>;
  },
});

/** The same snapshot with another end, with all that it has that does not show. */
const mark = (snapshot: Snapshot<unknown>, end: Snapshot<unknown>): Snapshot<unknown> =>
  Object.create(Object.getPrototypeOf(snapshot) as object, {
    ...Object.getOwnPropertyDescriptors(snapshot),
    ...Object.getOwnPropertyDescriptors(end),
  }) as Snapshot<unknown>;

import type { ActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import { unheard } from './snapshot.ts';
import { type Plan, StandIn, standInOf, type Told } from './stand-in.ts';

/** Under this a stand-in's persisted state holds that of the actor over there, as `persist` gave it. */
export const TAKEN = 'offsite.snapshot';

/** The state of a stand-in: what was heard of its actor. */
type State = Snapshot<unknown> & { readonly input?: unknown; readonly [TAKEN]?: Snapshot<unknown> };

/** What each stand-in begins with; beside it, because its state is what users look at. */
const beginnings = new WeakMap<object, { readonly input: unknown; readonly snapshot?: Snapshot<unknown> }>();

/** Logic whose actors stand for one in another site: they do nothing but tell there and be told. */
export const logicOf = (plan: Plan): ActorLogic<Snapshot<unknown>, EventObject> => ({
  config: plan,
  getInitialSnapshot: (scope, input) => {
    beginnings.set(scope.self, { input });
    return unheard(input);
  },
  restoreSnapshot: (persisted, scope) => {
    const { input, [TAKEN]: taken, ...state } = persisted as State;
    // It had ended, so nothing is started.
    if (persisted.status !== 'active') return state as Snapshot<unknown>;
    const isOurs = TAKEN in persisted;
    const begun = isOurs ? taken : persisted;
    beginnings.set(scope.self, { input, snapshot: begun });
    const snapshot = unheard(input);
    if (begun) takenOf.set(snapshot, begun);
    return snapshot;
  },
  start: (_snapshot, scope) => {
    const { input, snapshot } = beginnings.get(scope.self) ?? { input: undefined };
    new StandIn(plan, scope, input, snapshot);
  },
  transition: (snapshot, event, scope) => {
    const told = event as Told | { type: 'xstate.stop' };
    switch (told.type) {
      case 'offsite.snapshot':
        return keepTaken(snapshot, told.snapshot);
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
    const { status, output, error, input } = snapshot as State;
    return { status, output, error, input, [TAKEN]: takenOf.get(snapshot) } as unknown as Snapshot<unknown>;
  },
});

/** The state that was taken last, for whoever persists the parent of a stand-in, which can't wait. */
const takenOf = new WeakMap<object, Snapshot<unknown>>();

const keepTaken = (before: Snapshot<unknown>, snapshot: Snapshot<unknown>): Snapshot<unknown> => {
  const taken = takenOf.get(before);
  if (taken) takenOf.set(snapshot, taken);
  return snapshot;
};

/** Notes the state of the actor that a stand-in stands for. */
export const noteTaken = (actor: AnyActorRef, taken: Snapshot<unknown>): void => {
  takenOf.set(actor.getSnapshot() as object, taken);
};

/** The same snapshot with another end, with all that it has that does not show. */
const mark = (snapshot: Snapshot<unknown>, end: Snapshot<unknown>): Snapshot<unknown> =>
  Object.create(Object.getPrototypeOf(snapshot) as object, {
    ...Object.getOwnPropertyDescriptors(snapshot),
    ...Object.getOwnPropertyDescriptors(end),
  }) as Snapshot<unknown>;

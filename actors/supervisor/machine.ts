import { type AnyActorRef, assign, type ErrorActorEvent, fromPromise, setup, stopChild } from 'xstate';
import type { SupervisorExit } from './exit.ts';

/** What happens to a supervisor. */
export type SupervisorEvent =
  /** Somebody wants it closed; `timeout` is how long its children may be asked in all, in milliseconds. */
  | { type: 'close'; timeout: number | undefined }
  /** It ends by itself. */
  | { type: 'giveUp'; exit: SupervisorExit }
  /** One of the actors below it is to end. */
  | { type: 'stopActor'; ref: AnyActorRef };

/** What the machine decides about: when, never how. */
export interface SupervisorLife {
  /** Starts the children in order; rejects when one can't be, or it is stopped meanwhile. */
  start(): Promise<void>;
  /** Ends the children in the reverse order; never rejects. */
  stop(timeout: number | undefined): Promise<void>;
  /** While they end: asking may take no longer than this from now. */
  hurry(timeout: number | undefined): void;
}

interface Context {
  life: SupervisorLife;
  exit: SupervisorExit;
  timeout: number | undefined;
}

/** The life of a supervisor: starting, running, stopping, ended. What happens to its children does not pass through it. */
export const supervisorMachine = setup({
  types: {
    context: {} as Context,
    input: {} as { life: SupervisorLife },
    events: {} as SupervisorEvent | ErrorActorEvent,
  },
  actors: {
    start: fromPromise<void, SupervisorLife>(({ input }) => input.start()),
    stop: fromPromise<void, Context>(({ input }) => input.life.stop(input.timeout)),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ life: input.life, exit: { reason: 'closed' }, timeout: undefined }),
  initial: 'starting',
  on: {
    stopActor: { actions: stopChild(({ event }) => event.ref) },
    // A child's error is told to its supervisor in another way; without this it would be the machine's own.
    'xstate.error.actor.*': {},
  },
  states: {
    starting: {
      invoke: {
        src: 'start',
        input: ({ context }) => context.life,
        onDone: 'running',
        onError: {
          target: 'stopping',
          actions: assign({ exit: ({ event }) => ({ reason: 'start-failed', cause: event.error as Error }) }),
        },
      },
      on: { close: { target: 'stopping', actions: assign({ timeout: ({ event }) => event.timeout }) } },
    },
    running: {
      on: {
        close: { target: 'stopping', actions: assign({ timeout: ({ event }) => event.timeout }) },
        giveUp: { target: 'stopping', actions: assign({ exit: ({ event }) => event.exit }) },
      },
    },
    stopping: {
      invoke: { src: 'stop', input: ({ context }) => context, onDone: 'ended', onError: 'ended' },
      on: { close: { actions: ({ context, event }) => context.life.hurry(event.timeout) } },
    },
    ended: { type: 'final' },
  },
});

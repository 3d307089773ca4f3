import { assign, fromPromise, setup } from 'xstate';
import type { HourState } from '../../lib/daemon/service-hours.ts';
import type { DaemonEnd } from './events.ts';

/** What happens to a daemon from outside. */
export type DaemonEvent =
  /** Nothing more is to be started. */
  | { type: 'drain' }
  | { type: 'resume' }
  /** It is to end when its sites have ended. */
  | { type: 'stop' }
  /** It is to end, with its sites. */
  | { type: 'kill' }
  /** As many clients have gone as it was to serve. */
  | { type: 'served' }
  /** The first client has come. */
  | { type: 'used' }
  /** The last client has gone. */
  | { type: 'unused' };

/** What the machine decides about: when, never how. */
export interface DaemonLife {
  /** Begins to listen; when the signal is aborted it undoes what it has done and rejects. */
  open(signal: AbortSignal): Promise<void>;
  /** What the hours say now, and for how long at most, in milliseconds. */
  hours(): { state: HourState; for: number };
  /** Sites are started from now on, or are not. */
  enter(state: HourState): void;
  /** Ends all sites: asks, then kills. */
  endSites(): void;
  /** Kills all sites. */
  killSites(): void;
  /** Resolves when there are no sites. */
  emptied(): Promise<void>;
  /** Ends what is left; never rejects. */
  close(): Promise<void>;
}

/** What the machine is made with. */
export interface DaemonInput {
  readonly life: DaemonLife;
  /** In milliseconds; nothing if it waits for clients for ever. */
  readonly idleExit: number | undefined;
}

/** What the machine knows. */
export interface DaemonContext extends DaemonInput {
  /** Whether somebody has drained it. */
  readonly drained: boolean;
  readonly hours: HourState;
  readonly end: DaemonEnd;
}

/** The lifecycle of a daemon: it opens, serves, drains or is closed outside of its service hours, and stops for good. */
export const daemonMachine = setup({
  types: {
    context: {} as DaemonContext,
    input: {} as DaemonInput,
    events: {} as DaemonEvent,
    output: {} as DaemonEnd,
  },
  actors: {
    open: fromPromise<void, DaemonLife>(({ input, signal }) => input.open(signal)),
    emptied: fromPromise<void, DaemonLife>(({ input }) => input.emptied()),
    close: fromPromise<void, DaemonLife>(({ input }) => input.close()),
  },
  delays: {
    hoursLast: ({ context }) => context.life.hours().for,
    idleExit: ({ context }) => context.idleExit!,
  },
  guards: {
    isClosed: ({ context }) => context.hours === 'closed',
    isDraining: ({ context }) =>
      context.hours === 'draining' || (context.hours === 'serving' && context.drained),
    isServing: ({ context }) => context.hours === 'serving' && !context.drained,
    endsIdle: ({ context }) => context.idleExit !== undefined,
  },
  actions: {
    look: assign({ hours: ({ context }) => context.life.hours().state }),
    drain: assign({ drained: true }),
    resume: assign({ drained: false }),
    enter: ({ context }, state: HourState) => context.life.enter(state),
    endSites: ({ context }) => context.life.endSites(),
    endSitesIfClosed: ({ context }) => {
      if (context.hours === 'closed') context.life.endSites();
    },
    killSites: ({ context }) => context.life.killSites(),
    because: assign({ end: (_, end: DaemonEnd) => end }),
  },
}).createMachine({
  id: 'daemon',
  context: ({ input }) => ({
    ...input,
    drained: false,
    hours: input.life.hours().state,
    end: { why: 'stopped' },
  }),
  initial: 'opening',
  output: ({ context }) => context.end,
  states: {
    opening: {
      invoke: {
        src: 'open',
        input: ({ context }) => context.life,
        onDone: 'open',
        onError: {
          target: 'stopped',
          actions: assign({ end: ({ event }) => ({ why: 'failed' as const, cause: event.error }) }),
        },
      },
      on: {
        stop: 'closing',
        kill: { target: 'closing', actions: { type: 'because', params: { why: 'killed' } } },
      },
    },
    open: {
      type: 'parallel',
      on: {
        drain: { actions: 'drain' },
        resume: { actions: 'resume' },
        stop: 'stopping',
        kill: {
          target: 'stopping',
          actions: [{ type: 'because', params: { why: 'killed' } }, 'killSites'],
        },
        served: { target: 'stopping', actions: { type: 'because', params: { why: 'served' } } },
      },
      states: {
        service: {
          initial: 'choosing',
          states: {
            choosing: {
              always: [
                { guard: 'isClosed', target: 'closed' },
                { guard: 'isDraining', target: 'draining' },
                { target: 'serving' },
              ],
            },
            serving: {
              entry: { type: 'enter', params: 'serving' },
              always: [
                { guard: 'isClosed', target: 'closed' },
                { guard: 'isDraining', target: 'draining' },
              ],
            },
            draining: {
              entry: { type: 'enter', params: 'draining' },
              always: [
                { guard: 'isClosed', target: 'closed' },
                { guard: 'isServing', target: 'serving' },
              ],
            },
            // Outside of its service hours.
            closed: {
              entry: [{ type: 'enter', params: 'closed' }, 'endSites'],
              always: [
                { guard: 'isDraining', target: 'draining' },
                { guard: 'isServing', target: 'serving' },
              ],
            },
          },
        },
        hours: {
          initial: 'known',
          states: { known: { after: { hoursLast: { target: 'known', reenter: true, actions: 'look' } } } },
        },
        use: {
          initial: 'unused',
          states: {
            unused: { always: { guard: 'endsIdle', target: 'expiring' }, on: { used: 'used' } },
            expiring: {
              on: { used: 'used' },
              after: {
                idleExit: [
                  // It is there to come back, and nobody may use it now.
                  { guard: 'isClosed', target: 'expiring', reenter: true },
                  {
                    target: '#daemon.stopping',
                    actions: { type: 'because', params: { why: 'idle' } },
                  },
                ],
              },
            },
            used: { on: { unused: 'unused' } },
          },
        },
      },
    },
    stopping: {
      entry: { type: 'enter', params: 'draining' },
      invoke: { src: 'emptied', input: ({ context }) => context.life, onDone: 'closing' },
      on: { kill: { actions: [{ type: 'because', params: { why: 'killed' } }, 'killSites'] } },
      initial: 'known',
      states: {
        known: {
          after: { hoursLast: { target: 'known', reenter: true, actions: ['look', 'endSitesIfClosed'] } },
        },
      },
    },
    closing: {
      invoke: { src: 'close', input: ({ context }) => context.life, onDone: 'stopped' },
      on: { kill: { actions: 'killSites' } },
    },
    stopped: { type: 'final' },
  },
});

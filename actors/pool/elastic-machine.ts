import { fromPromise, setup } from 'xstate';

/** What happens to an elastic pool. */
export type ElasticEvent =
  /** It may have too few workers. */
  { type: 'demand' } | { type: 'close' };

/** What the machine decides about: when, never how. */
export interface ElasticLife {
  /** Whether workers are missing. */
  lacks(): boolean;
  /** Whether the last ones ended at once, or did not come, so that the next ones are to wait. */
  troubled(): boolean;
  /** How long, in milliseconds. */
  restFor(): number;
  /** When somebody may be idle for too long, from now on, in milliseconds. */
  lookAfter(): number;
  /** Adds what is missing; never rejects. */
  grow(): Promise<void>;
  /** Removes who is idle for too long; never rejects. */
  shrink(): Promise<void>;
}

/** When an elastic pool grows, rests after a failure, and shrinks. What is taken and given back does not pass through it. */
export const elasticMachine = setup({
  types: {
    context: {} as ElasticLife,
    input: {} as ElasticLife,
    events: {} as ElasticEvent,
  },
  actors: {
    grow: fromPromise<void, ElasticLife>(({ input }) => input.grow()),
    shrink: fromPromise<void, ElasticLife>(({ input }) => input.shrink()),
  },
  delays: {
    rest: ({ context }) => context.restFor(),
    look: ({ context }) => context.lookAfter(),
  },
}).createMachine({
  id: 'elastic-pool',
  context: ({ input }) => input,
  initial: 'steady',
  on: { close: '.closed' },
  states: {
    steady: {
      always: [
        { guard: ({ context }) => context.lacks() && context.troubled(), target: 'resting' },
        { guard: ({ context }) => context.lacks(), target: 'growing' },
      ],
      // What is always looked at is looked at again.
      on: { demand: {} },
      after: { look: 'shrinking' },
    },
    resting: { after: { rest: 'growing' } },
    growing: { invoke: { src: 'grow', input: ({ context }) => context, onDone: 'steady' } },
    shrinking: { invoke: { src: 'shrink', input: ({ context }) => context, onDone: 'steady' } },
    closed: { type: 'final' },
  },
});

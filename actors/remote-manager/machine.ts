import { assign, fromPromise, setup } from 'xstate';

/** What happens to a site from outside. */
export type RemoteManagerEvent =
  /** Somebody wants it closed; `timeout` is what asking politely may take, in milliseconds. */
  | { type: 'close'; timeout: number | undefined }
  /** Somebody wants it gone, and does not wait for it. */
  | { type: 'kill' }
  /** Its process or thread has ended, unasked. */
  | { type: 'exited' };

/** What the machine decides about: when, never how. */
export interface SiteLife {
  /** Starts the engine; when the signal is aborted it ends what it has started and rejects. */
  start(signal: AbortSignal): Promise<void>;
  /** Ends the engine: asks, then signals; never rejects. */
  end(timeout: number | undefined): Promise<void>;
  /** While it ends: asking may take no longer than this from now. */
  hurry(timeout: number | undefined): void;
  /** Before it ends, or while it does: it is not asked, or not any more. */
  kill(): void;
}

interface Context {
  life: SiteLife;
  /** Why the site never became ready. */
  failure: unknown;
  timeout: number | undefined;
}

/** The lifecycle of one site: starting, ready, closing, and then closed or crashed for good. */
export const remoteManagerMachine = setup({
  types: {
    context: {} as Context,
    input: {} as { life: SiteLife },
    events: {} as RemoteManagerEvent,
  },
  actors: {
    start: fromPromise<void, SiteLife>(({ input, signal }) => input.start(signal)),
    end: fromPromise<void, Pick<Context, 'life' | 'timeout'>>(({ input }) => input.life.end(input.timeout)),
  },
  actions: { kill: ({ context }) => context.life.kill() },
}).createMachine({
  id: 'remote-manager',
  context: ({ input }) => ({ life: input.life, failure: undefined, timeout: undefined }),
  initial: 'starting',
  states: {
    starting: {
      invoke: {
        src: 'start',
        input: ({ context }) => context.life,
        onDone: 'ready',
        onError: { target: 'crashed', actions: assign({ failure: ({ event }) => event.error }) },
      },
      on: {
        close: { target: 'closing', actions: assign({ timeout: ({ event }) => event.timeout }) },
        kill: { target: 'closing', actions: 'kill' },
      },
    },
    ready: {
      on: {
        exited: 'crashed',
        close: { target: 'closing', actions: assign({ timeout: ({ event }) => event.timeout }) },
        kill: { target: 'closing', actions: 'kill' },
      },
    },
    closing: {
      invoke: { src: 'end', input: ({ context }) => context, onDone: 'closed', onError: 'closed' },
      on: {
        close: { actions: ({ context, event }) => context.life.hurry(event.timeout) },
        kill: { actions: 'kill' },
      },
    },
    closed: { type: 'final' },
    crashed: { type: 'final' },
  },
});

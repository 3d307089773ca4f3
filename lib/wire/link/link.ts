import type { Buffer } from 'node:buffer';

/** What goes with a message without being bytes, where both ends are threads of one process. */
export interface Beside {
  /** SharedArrayBuffers, and ArrayBuffers that move; a message names them by their place in this list. */
  readonly values: (SharedArrayBuffer | ArrayBuffer)[];
  /** Those of them that move; the sender has them no longer. */
  readonly transfer: ArrayBuffer[];
}

/** What a link tells the session above it. */
export interface LinkReceiver {
  /**
   * Whole frames lie in `bytes` from `start` to `end`, one after another. They are only valid until this
   * returns, because the memory belongs to the link. `beside` is what the peer gave to `send`.
   */
  receive(bytes: Buffer, start: number, end: number, beside?: Beside['values']): void;
  /** Nothing more will arrive, and nothing can be sent; called once. */
  disconnected(cause?: Error): void;
}

/** An ordered, reliable, message-keeping connection between two sites. */
export interface Link {
  /** Whether it can carry what is not bytes: the ends are threads of one process. */
  readonly sharesMemory: boolean;
  /** Begins to deliver; called once, by the session. */
  open(receiver: LinkReceiver): void;
  /**
   * Sends whole frames. Returns true if the link keeps `bytes` after it returns, so that the caller must not
   * write to that memory again. `beside` arrives together with them; only where the link `sharesMemory`.
   */
  send(bytes: Buffer, beside?: Beside): boolean;
  /** Keeps this process alive for the link's sake. */
  ref(): void;
  /** Lets this process end although the link is open. */
  unref(): void;
  /** Keep the loop hot: an answer is expected soon. */
  expect(): void;
  /** How many bytes were sent and have not left this process yet. */
  readonly waiting: number;
  /** Whether so much waits in this process that nothing should be added which can wait. */
  readonly congested: boolean;
  /** Resolves when it is not congested any more, or the link is gone. */
  drained(): Promise<void>;
  /** Resolves when all that was sent has left this process, or can't leave it any more. */
  flushed(): Promise<void>;
  /**
   * Blocks this thread until something has arrived, and delivers it; returns without after `timeout` milliseconds,
   * or at once if the link is gone.
   */
  receiveSync(timeout: number): void;
  /** Ends the link at once; `disconnected` is called if it was not before. */
  destroy(cause?: Error): void;
}

/**
 * How long a link's loop turns after the last message before it sleeps, in milliseconds. Waking a sleeper costs
 * 4 to 45 us here, so turning for about one such wake-up is never more than twice the best choice.
 */
export const HOT_FOR = 0.05;

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
   * returns, because the memory belongs to the link. `beside` is what the peer gave to `send`. What this throws ends
   * the link, as the cause.
   */
  receive(bytes: Buffer, start: number, end: number, beside?: Beside['values']): void;
  /** Nothing more will arrive, and nothing can be sent; called once. */
  disconnected(cause?: Error): void;
}

/** A link is congested while more bytes than this wait in its process: 256 KiB, four times what a pipe holds. */
export const HIGH_WATER = 256 * 1024;

/** An ordered, reliable, message-keeping connection between two sites. */
export interface Link {
  /** Whether it can carry what is not bytes: the ends are threads of one process. */
  readonly sharesMemory: boolean;
  /** Begins to deliver; called once, by the session. What arrived before is delivered now, and so is the news of an end. */
  open(receiver: LinkReceiver): void;
  /**
   * Sends whole frames. Returns true if the link keeps `bytes` after it returns: the caller must not touch the
   * ArrayBuffer under them again, because it is read later, or moved to another thread. `beside` arrives together with
   * them; only where the link `sharesMemory`. Throws what `postMessage` throws if a part of `beside` can't go, and then
   * nothing was sent. Once the link is gone it does nothing and returns false.
   */
  send(bytes: Buffer, beside?: Beside): boolean;
  /**
   * Sends one frame whose body is not copied; nobody may write to it until `left` is called. For links that can; the
   * others are given it by `send`.
   */
  sendFrame?(head: Buffer, body: Uint8Array, left: () => void): void;
  /** Keeps this process alive for the link's sake. */
  ref(): void;
  /** Lets this process end although the link is open. */
  unref(): void;
  /** Keep the loop hot: an answer is expected soon. */
  expect(): void;
  /** How many bytes were sent and have not left this process yet. */
  readonly waiting: number;
  /** Whether more than 256 KiB wait: whoever sends much does well to wait for `drained` first. */
  readonly congested: boolean;
  /** Resolves when the link is not congested any more, or gone. */
  drained(): Promise<void>;
  /** Resolves when all that was sent has left this process, or can't leave it any more. */
  flushed(): Promise<void>;
  /** Delivers nothing until `resume`, so that the peer is held up; for links over pipes and sockets. */
  pause?(): void;
  /** Delivers again. */
  resume?(): void;
  /**
   * Blocks this thread until something has arrived, and delivers it; returns without after `timeout` milliseconds,
   * or at once if the link is gone. Throws TypeError if this link can't wait so.
   */
  receiveSync(timeout: number): void;
  /** Ends the link at once; `disconnected` is called if it was not before. What waits is lost. */
  destroy(cause?: Error): void;
}

import { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import type { Beside } from '../link/link.ts';
import { HEADER, MAX_FRAME } from './frame.ts';

type BesideFrames = Beside['values'] | undefined;

/** Takes one frame, which lies in `bytes` from `at` to `end`; valid until it returns. */
export type OnFrame = (bytes: Buffer, at: number, end: number, beside: BesideFrames) => void;

/** Takes the frame that somebody waits for; says whether it was this one. */
type OnWaited = (bytes: Buffer, at: number, end: number, beside: BesideFrames) => boolean;

/** Where the frame that begins at `at` ends; throws ProtocolError if it can't be one. */
const endOf = (bytes: Buffer, at: number, end: number): number => {
  if (at + 4 > end) throw new ProtocolError('A message arrived that ends within the size of a frame.');
  const next = at + 4 + bytes.readUInt32LE(at);
  if (next > end || next - at < HEADER + 8 || next - at > MAX_FRAME) {
    throw new ProtocolError(`A frame of ${next - at} bytes arrived, which can't be one.`);
  }
  return next;
};

/**
 * Takes a session's frames apart and hands them over in order, one by one. While somebody waits synchronously, only the
 * frame that he waits for passes; the others follow later.
 */
export class Inbox {
  readonly #onFrame: OnFrame;
  /** What of the last batch is still to be handed over; a frame's handler may wait synchronously in the middle. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #beside: BesideFrames;
  #waits: OnWaited | undefined;
  /** Frames that came while somebody waited, as copies. */
  #held: { readonly frame: Buffer; readonly beside: BesideFrames }[] = [];

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** Hands over the whole frames in `bytes`; throws ProtocolError, and what a handler throws. */
  receive(bytes: Buffer, start: number, end: number, beside?: Beside['values']): void {
    if (!this.#waits && this.#held.length === 0) {
      this.#walk(bytes, start, end, beside);
      return;
    }
    // Behind what is held, as copies, because a handler of that may wait again and let the link read on.
    this.#sift(bytes, start, end, beside);
    this.#release();
  }

  /**
   * From now until the returned function is called, frames pass only through `waits`, which takes the one it waits
   * for. `failed` gets what the handlers of the others throw, later.
   */
  hold(waits: OnWaited, failed: (cause: unknown) => void): () => void {
    this.#waits = waits;
    // The memory of the batch that is being handed over belongs to the link, which will read on.
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#at, this.#end));
    this.#end -= this.#at;
    this.#at = 0;
    return () => {
      this.#waits = undefined;
      if (this.#held.length === 0) return;
      setImmediate(() => {
        try {
          this.#release();
        } catch (cause) {
          failed(cause);
        }
      });
    };
  }

  #walk(bytes: Buffer, start: number, end: number, beside: BesideFrames): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#beside = beside;
    while (this.#at < this.#end) {
      const at = this.#at;
      const next = endOf(this.#bytes, at, this.#end);
      this.#at = next;
      this.#onFrame(this.#bytes, at, next, this.#beside);
    }
  }

  #sift(bytes: Buffer, start: number, end: number, beside: BesideFrames): void {
    for (let at = start; at < end; ) {
      const next = endOf(bytes, at, end);
      if (!this.#waits?.(bytes, at, next, beside)) {
        this.#held.push({ frame: Buffer.from(bytes.subarray(at, next)), beside });
      }
      at = next;
    }
  }

  /** Hands over what was held; a handler that waits again holds more behind it. */
  #release(): void {
    while (this.#held.length > 0 && !this.#waits) {
      const { frame, beside } = this.#held.shift()!;
      this.#walk(frame, 0, frame.length, beside);
    }
  }
}

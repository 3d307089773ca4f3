import { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.ts';

/** How many bytes the size at the beginning of a frame takes. */
const SIZE = 4;

/** Throws ProtocolError at a frame of `size` bytes if `most` is less. */
export const checkSize = (size: number, most: number): void => {
  if (size > most) {
    throw new ProtocolError(`The peer announced a message of ${size} bytes; ${most} is the most.`);
  }
};

/**
 * Puts frames together whose bytes come in pieces. Frames that lie whole in a piece are left where they are; one that
 * does not gets memory of its size once that is known, and each byte of it is copied once.
 */
export class FrameGatherer {
  readonly #most: number;
  /** The size of the frame that gathers, as far as it has come, while it is not known. */
  readonly #size = Buffer.alloc(SIZE);
  /** The frame that gathers, once its size is known. */
  #frame: Buffer | undefined;
  /** How many bytes of it have come. */
  #have = 0;

  /** `most` is how many bytes a frame may have. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a frame has begun that is not whole yet. */
  get gathers(): boolean {
    return this.#have > 0;
  }

  /**
   * Takes from the beginning of a piece what belongs to the frame that gathers; returns how much that was, and calls
   * nobody: `take` gives the frame once it is whole. Throws ProtocolError if it is to be too large.
   */
  fill(piece: Buffer): number {
    let at = 0;
    if (!this.#frame) {
      at = piece.copy(this.#size, this.#have, 0, SIZE - this.#have);
      this.#have += at;
      if (this.#have < SIZE) return at;
      this.#begin(SIZE + this.#size.readUInt32LE(0));
      this.#size.copy(this.#frame!, 0);
    }
    const copied = piece.copy(this.#frame!, this.#have, at);
    this.#have += copied;
    return at + copied;
  }

  /** The frame that gathered, if it is whole; the next one can begin then. */
  take(): Buffer | undefined {
    const frame = this.#frame;
    if (!frame || this.#have < frame.length) return undefined;
    this.#frame = undefined;
    this.#have = 0;
    return frame;
  }

  /**
   * Where the whole frames that begin at `at` end in a piece; what is behind them begins to gather. Only while nothing
   * else gathers. Throws ProtocolError if a frame is to be too large.
   */
  scan(piece: Buffer, at: number): number {
    let end = at;
    while (piece.length - end >= SIZE) {
      const size = SIZE + piece.readUInt32LE(end);
      checkSize(size, this.#most);
      if (piece.length - end < size) {
        this.#begin(size);
        break;
      }
      end += size;
    }
    if (end < piece.length) this.#have = piece.copy(this.#frame ?? this.#size, 0, end);
    return end;
  }

  #begin(size: number): void {
    checkSize(size, this.#most);
    this.#frame = Buffer.allocUnsafeSlow(size);
  }
}

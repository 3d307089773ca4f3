import { ProtocolError } from '../errors.ts';
import type { Channel } from './channel.ts';

/**
 * How many bytes of a stream may be under way or wait for its consumer. Enough that a link of 1 Gbit/s with a round
 * trip of 8 ms never runs dry, and little enough that a thousand forgotten streams do not fill a memory.
 */
export const WINDOW = 1_048_576;

/** What an item costs at least, because an empty one takes memory too where it waits. */
export const LEAST_COST = 64;

/** When so much has been taken the producer is told, so that few items need a frame that goes back. */
const TOP_UP = WINDOW / 4;

/** What an item of so many bytes takes of the credit. */
export const costOf = (bytes: number): number => (bytes > LEAST_COST ? bytes : LEAST_COST);

/** The credit as its giver, the consumer, keeps it. */
export class Grant {
  readonly #channel: Channel;
  /** What the producer may still send; below zero if its last item was larger. */
  #left = 0;
  /** What was taken, and the producer has not been told. */
  #taken = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Gives the first window in silence, where both sides know that it is given. */
  presume(): void {
    this.#left = WINDOW;
  }

  /** Gives the first window. */
  open(): void {
    this.#left = WINDOW;
    this.#channel.credit(WINDOW);
  }

  /** An item of so many bytes arrived; returns its cost; throws ProtocolError if there was no credit for it. */
  arrived(bytes: number): number {
    if (this.#left <= 0) {
      throw new ProtocolError(
        `The peer sent more items of the stream ${this.#channel.id} than were asked for.`,
      );
    }
    const cost = costOf(bytes);
    this.#left -= cost;
    return cost;
  }

  /** An item of that cost has been taken out of this side's memory. */
  taken(cost: number): void {
    this.#taken += cost;
    // If the credit is used up, at least the whole window was taken or still waits to be: this can't stop for good.
    if (this.#taken < TOP_UP) return;
    const bytes = this.#taken;
    this.#taken = 0;
    this.#left += bytes;
    this.#channel.credit(bytes);
  }
}

/** The credit after it grew by what the peer gave; throws ProtocolError if the peer can't give that. */
export const grown = (credit: number, bytes: number, id: number): number => {
  // More than a window would let a peer that does not read fill our memory.
  if (!(Number.isSafeInteger(bytes) && bytes > 0 && credit + bytes <= WINDOW)) {
    throw new ProtocolError(`The peer asked for ${bytes} bytes of the stream ${id}, beyond its window.`);
  }
  return credit + bytes;
};

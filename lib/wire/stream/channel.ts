import { UndecodableError } from '../errors.ts';
import type { StreamPort } from './port.ts';

/**
 * One end's way to the other end. It is open while the end stands in its side's table; what would be said after that
 * has no meaning any more, and is not said.
 */
export class Channel {
  readonly id: number;
  readonly #home: boolean;
  readonly #port: StreamPort;
  readonly #forget: () => void;
  #open = true;

  /** `home` says that the id is the peer's; `forget` takes the end out of the table. */
  constructor(port: StreamPort, id: number, home: boolean, forget: () => void) {
    this.#port = port;
    this.id = id;
    this.#home = home;
    this.#forget = forget;
  }

  /** Whether neither side has ended the stream, as far as is known here. */
  get open(): boolean {
    return this.#open;
  }

  /** Closes it without a word; returns false if it was closed before. */
  leave(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#forget();
    return true;
  }

  /** Sends an item; returns the bytes it took; throws UnserializableError. */
  chunk(value: unknown): number {
    return this.#port.chunk(this.id, this.#home, value);
  }

  /** Says that there are no more items, and stays open: the consumer's word is still to come. */
  end(): void {
    if (this.#open) this.#port.end(this.id, this.#home, undefined);
  }

  /** Says that there are no more items, and leaves; what can't be sent of the value is the producer's failure. */
  finish(value: unknown): void {
    if (!this.leave()) return;
    try {
      this.#port.end(this.id, this.#home, value);
    } catch (refusal) {
      this.#port.fail(this.id, this.#home, refusal);
    }
  }

  /** Says that the producer failed, and leaves. */
  fail(cause: unknown): void {
    if (!this.leave()) return;
    try {
      this.#port.fail(this.id, this.#home, cause);
    } catch (refusal) {
      this.#port.fail(this.id, this.#home, refusal);
    }
  }

  /** The producer failed, or so it is told: leaves. */
  failed(cause: unknown): void {
    // What could not be read here was sent by a producer that believes that all is well.
    if (cause instanceof UndecodableError) this.stop(cause);
    else this.leave();
  }

  /** So many more wait for the other end, or fewer. */
  waits(more: number): void {
    this.#port.waits(more);
  }

  /** Wants so many bytes more. */
  credit(bytes: number): void {
    if (this.#open) this.#port.credit(this.id, this.#home, bytes);
  }

  /** Says that the consumer is done or has failed, and leaves. */
  stop(cause: unknown): void {
    if (!this.leave()) return;
    try {
      this.#port.stop(this.id, this.#home, cause);
    } catch (refusal) {
      this.#port.stop(this.id, this.#home, refusal);
    }
  }
}

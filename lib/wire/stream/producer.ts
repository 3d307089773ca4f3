import type { Channel } from './channel.ts';
import { costOf, grown } from './credit.ts';
import type { ProducerEnd } from './port.ts';
import type { Pulled, Source } from './source.ts';

/** Sends a source's items while the consumer gives credit for them, one asked for at a time. */
export class Producer implements ProducerEnd {
  readonly role = 'producer';
  readonly #channel: Channel;
  readonly #source: Source;
  #credit = 0;
  /** The source was asked and has not answered. */
  #asked = false;
  // Made once, because each item needs both.
  readonly #onPulled = (pulled: Pulled): void => {
    this.#asked = false;
    this.#pass(pulled);
    this.#pump();
  };
  readonly #onFailure = (cause: unknown): void => this.#channel.fail(cause);

  constructor(channel: Channel, source: Source) {
    this.#channel = channel;
    this.#source = source;
  }

  credit(bytes: number): void {
    this.#credit = grown(this.#credit, bytes, this.#channel.id);
    this.#pump();
  }

  stop(cause: unknown): void {
    if (!this.#channel.leave()) return;
    // An answer of the source that comes after this finds the channel closed, and is dropped.
    if (cause === undefined) this.#source.close(undefined);
    else this.#source.fail(cause);
  }

  cut(makeError: () => unknown): void {
    if (this.#channel.leave()) this.#source.close(makeError());
  }

  withdraw(): void {
    if (this.#channel.leave()) this.#source.release();
  }

  /** A source that answers at once is asked again in this turn: the credit bounds how long that can go on. */
  #pump(): void {
    while (this.#credit > 0 && !this.#asked && this.#channel.open) {
      // Before the source's code runs, which may lead back here.
      this.#asked = true;
      try {
        const pulled = this.#source.next();
        if (typeof (pulled as { then?: unknown }).then === 'function') {
          const promise = pulled instanceof Promise ? pulled : Promise.resolve(pulled);
          promise.then(this.#onPulled, this.#onFailure);
          return;
        }
        this.#asked = false;
        this.#pass(pulled as Pulled);
      } catch (cause) {
        this.#channel.fail(cause);
      }
    }
  }

  /** Passes on what the source gave. Its consumer may be gone by now. */
  #pass(pulled: Pulled): void {
    if (!this.#channel.open) return;
    let value: unknown;
    try {
      if (typeof pulled !== 'object' || pulled === null)
        throw new TypeError(`${pulled} is no iterator result.`);
      const { done } = pulled;
      value = pulled.value;
      if (done) {
        this.#channel.finish(value);
        return;
      }
    } catch (cause) {
      this.#channel.fail(cause);
      return;
    }
    try {
      const cost = costOf(this.#channel.chunk(value));
      this.#credit -= cost;
    } catch (cause) {
      // The item can't be sent. The source knows nothing of that and would wait for ever to be asked again. If the
      // session ended in the attempt, it has been told.
      if (!this.#channel.open) return;
      this.#channel.fail(cause);
      this.#source.close(cause);
    }
  }
}

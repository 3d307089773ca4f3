import type { WritableStream, WritableStreamDefaultWriter } from 'node:stream/web';
import { ProtocolError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { Grant } from './credit.ts';
import type { ConsumerEnd } from './port.ts';
import { ignore, lockedError } from './source.ts';

/**
 * The owner's end of a WritableStream that other code writes to from another site. The stream queues the items that
 * it can't take yet; they were taken when its `write` has resolved, so the window bounds that queue.
 */
export class Feed implements ConsumerEnd {
  readonly role = 'consumer';
  readonly #channel: Channel;
  readonly #grant: Grant;
  /** The other site has said that all was written. */
  #ended = false;
  readonly #writer: WritableStreamDefaultWriter<unknown>;
  readonly #onFailure = (cause: unknown): void => {
    // A cause of `undefined` would say that all is well.
    if (this.#channel.open)
      this.#channel.stop(cause ?? new Error('The WritableStream failed without a reason.'));
  };

  /** Throws UnserializableError if somebody else writes to the stream. */
  constructor(channel: Channel, stream: WritableStream<unknown>) {
    if (stream.locked) throw lockedError('WritableStream', 'writer');
    this.#channel = channel;
    this.#grant = new Grant(channel);
    this.#grant.presume();
    this.#writer = stream.getWriter();
    // It may fail while nothing is written to it.
    this.#writer.closed.catch(this.#onFailure);
  }

  chunk(value: unknown, bytes: number): void {
    this.#checkOpen();
    const cost = this.#grant.arrived(bytes);
    this.#writer.write(value).then(() => this.#grant.taken(cost), this.#onFailure);
  }

  end(): void {
    this.#checkOpen();
    this.#ended = true;
    this.#writer.close().then(() => this.#channel.stop(undefined), this.#onFailure);
  }

  fail(cause: unknown): void {
    if (!this.#channel.open) return;
    this.#channel.failed(cause);
    ignore(() => this.#writer.abort(cause));
  }

  cut(makeError: () => unknown): void {
    if (!this.#channel.leave()) return;
    const cause = makeError();
    ignore(() => this.#writer.abort(cause));
  }

  /** A stream that is closing takes nothing, and Node.js answers a write to one that is closed with an assertion. */
  #checkOpen(): void {
    if (!this.#ended) return;
    throw new ProtocolError(`The peer went on with the stream ${this.#channel.id} after it had ended it.`);
  }

  withdraw(): void {
    if (this.#channel.leave()) this.#writer.releaseLock();
  }
}

import { whenAborted } from '../../wire/call/when-aborted.ts';
import { TimeoutError } from '../../wire/errors.ts';
import { type Packed, sizeOf } from '../broadcast/packed.ts';
import type { SendOptions } from './options.ts';
import type { Delivered, MailboxBounds, Message } from './protocol.ts';

/** Messages go together up to this size, in bytes; what is larger goes alone, so that its failure is its own. */
const TOGETHER = 2 ** 20;

/** How messages get to another process. */
export interface Carrier {
  deliver(messages: readonly Message[]): Promise<Delivered>;
  /** Not waited for. */
  recall(number: number): void;
}

/** A message that the receiver has not taken yet. */
interface Leaving {
  readonly message: Message;
  readonly size: number;
  readonly done: () => void;
  readonly fail: (reason: unknown) => void;
}

/**
 * The messages from this process to another one, in their order: one call is on its way at a time, with all that has
 * come together meanwhile and that there is room for over there.
 */
export class Outgoing {
  readonly #carrier: Carrier;
  readonly #to: string;
  /** In their order, by their numbers: many may wait, and any may be given up. */
  readonly #queue = new Map<number, Leaving>();
  #room: MailboxBounds = { messages: 1, bytes: 0 };
  #number = 0;
  #carrying = false;
  /** Up to which message all are on their way, or have been. */
  #sent = 0;

  /** `to` is for messages of errors. */
  constructor(to: string, carrier: Carrier) {
    this.#to = to;
    this.#carrier = carrier;
  }

  /**
   * Resolves when the receiver has it in its mailbox. Rejects as calls do, with TimeoutError, and the signal's reason;
   * what was given up is dropped over there too, unless it was read by then.
   */
  send(packed: Packed, { timeout, signal }: SendOptions): Promise<void> {
    signal?.throwIfAborted();
    const message = { number: ++this.#number, packed };
    return new Promise((resolve, reject) => {
      const clean = () => {
        clearTimeout(timer);
        unlisten?.();
      };
      const leaving: Leaving = {
        message,
        size: sizeOf(packed),
        done: () => {
          clean();
          resolve();
        },
        fail: (reason) => {
          clean();
          reject(reason as Error);
        },
      };
      const giveUp = (reason: unknown) => {
        if (!this.#queue.delete(message.number)) return;
        if (message.number <= this.#sent) this.#carrier.recall(message.number);
        leaving.fail(reason);
      };
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(() => {
              const text = `${this.#to} had no room for a message within ${timeout} ms; it has to read those that it has, or its mailbox to be larger.`;
              giveUp(new TimeoutError(text, timeout));
            }, timeout);
      const unlisten = signal && whenAborted(signal, () => giveUp(signal.reason));
      this.#queue.set(message.number, leaving);
      if (!this.#carrying) void this.#carry();
    });
  }

  async #carry(): Promise<void> {
    this.#carrying = true;
    try {
      while (this.#queue.size > 0) {
        const batch = this.#batch();
        this.#sent = batch.at(-1)!.message.number;
        let delivered: Delivered;
        try {
          delivered = await this.#carrier.deliver(batch.map(({ message }) => message));
        } catch (error) {
          for (const leaving of batch) this.#settle(leaving, () => leaving.fail(error));
          continue;
        }
        this.#room = delivered;
        for (const leaving of batch) {
          if (leaving.message.number <= delivered.through) this.#settle(leaving, leaving.done);
        }
      }
    } finally {
      this.#carrying = false;
    }
  }

  /** What was given up meanwhile has its end already. */
  #settle(leaving: Leaving, end: () => void): void {
    if (this.#queue.delete(leaving.message.number)) end();
  }

  #batch(): Leaving[] {
    const batch: Leaving[] = [];
    let bytes = 0;
    const most = Math.min(this.#room.bytes, TOGETHER);
    for (const next of this.#queue.values()) {
      bytes += next.size;
      // The first goes in any case: it waits over there.
      if (batch.length > 0 && (bytes > most || batch.length >= this.#room.messages)) break;
      batch.push(next);
    }
    return batch;
  }
}

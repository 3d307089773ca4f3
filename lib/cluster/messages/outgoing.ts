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
  readonly #queue: Leaving[] = [];
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
        const at = this.#queue.indexOf(leaving);
        if (at < 0) return;
        this.#queue.splice(at, 1);
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
      this.#queue.push(leaving);
      if (!this.#carrying) void this.#carry();
    });
  }

  async #carry(): Promise<void> {
    this.#carrying = true;
    try {
      while (this.#queue.length > 0) {
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
    const at = this.#queue.indexOf(leaving);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    end();
  }

  #batch(): Leaving[] {
    const [first, ...others] = this.#queue;
    const batch = [first!];
    let bytes = first!.size;
    const most = Math.min(this.#room.bytes, TOGETHER);
    for (const next of others.slice(0, Math.max(0, this.#room.messages - 1))) {
      bytes += next.size;
      if (bytes > most) break;
      batch.push(next);
    }
    return batch;
  }
}

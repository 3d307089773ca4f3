// Only its types: to load it takes a site several milliseconds, and the global variable loads it at the first use.
import type { WritableStreamDefaultController } from 'node:stream/web';
import { OffsiteError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { costOf, grown, WINDOW } from './credit.ts';
import type { ProducerEnd } from './port.ts';

/** What a `write` or `close` that waits will be told. */
interface Waiting {
  resolve(): void;
  reject(cause: unknown): void;
}

/**
 * The near end of a WritableStream of another site: sends what is written while there is credit. It holds the stream
 * that the user has only weakly; a `write` or `close` that waits holds it through its promise.
 */
export class Sink implements ProducerEnd {
  readonly role = 'producer';
  readonly #channel: Channel;
  /** Both sides know that the owner wants the first window, so that the first write does not wait for a word. */
  #credit = WINDOW;
  #write: Waiting | undefined;
  #close: Waiting | undefined;
  #controller: WeakRef<WritableStreamDefaultController> | undefined;
  /** Why later writes fail, if the stream does not say it itself. */
  #cause: unknown;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** The stream that the user has; called once. `watch` is given what lives as long as it does. */
  stream(watch: (alive: object) => void): WritableStream<unknown> {
    return new WritableStream<unknown>({
      start: (controller) => {
        this.#controller = new WeakRef(controller);
        // Not the stream: what Node.js 20 constructs is a wrapper, which the stream itself and its writers outlive.
        watch(controller);
        // The stream's own `abort` hook is only called when the write that waits for credit is over.
        // Types of Node.js 20 lack it; Node.js 20 has it.
        const { signal } = controller as unknown as { signal: AbortSignal };
        signal.addEventListener('abort', () => this.abort(signal.reason));
      },
      write: (value) => this.write(value),
      close: () => this.close(),
    });
  }

  /** Hands an item over, at once or when there is credit for it. */
  write(value: unknown): Promise<void> | undefined {
    if (this.#credit > 0) {
      this.#send(value);
      return undefined;
    }
    this.#channel.waits(1);
    return new Promise((resolve, reject) => {
      this.#write = {
        resolve: () => {
          try {
            this.#send(value);
            resolve();
          } catch (cause) {
            reject(cause);
          }
        },
        reject,
      };
    });
  }

  /** Says that all was written; resolves when the owner's stream has closed. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#channel.open) {
        reject(this.#cause);
        return;
      }
      this.#close = { resolve, reject };
      this.#channel.waits(1);
      this.#channel.end();
    });
  }

  /** The user gives up; what waits does not wait for the owner. */
  abort(cause: unknown): void {
    if (!this.#channel.open) return;
    this.#channel.fail(cause);
    // The stream itself is in the midst of its abort, and is not to be errored as well.
    this.#reject(cause);
  }

  /** The user has dropped the stream, so that nobody can close it any more. */
  drop(): void {
    this.abort(
      new OffsiteError(
        'ERR_OFFSITE_DROPPED',
        'The WritableStream was collected at the site that wrote to it before it was closed; close or abort it there.',
      ),
    );
  }

  credit(bytes: number): void {
    this.#credit = grown(this.#credit, bytes, this.#channel.id);
    const write = this.#write;
    if (!write || this.#credit <= 0) return;
    this.#write = undefined;
    this.#channel.waits(-1);
    write.resolve();
  }

  stop(cause: unknown): void {
    if (!this.#channel.leave()) return;
    if (this.#close && cause === undefined) {
      this.#close.resolve();
      this.#close = undefined;
      this.#channel.waits(-1);
    } else {
      this.#failed(cause);
    }
  }

  cut(makeError: () => unknown): void {
    if (this.#channel.leave()) this.#failed(makeError());
  }

  withdraw(): void {
    this.#channel.leave();
  }

  #send(value: unknown): void {
    if (!this.#channel.open) throw this.#cause;
    try {
      const cost = costOf(this.#channel.chunk(value));
      this.#credit -= cost;
    } catch (cause) {
      // Its throw errors the stream here; the owner's writer learns it by this.
      this.#cause = cause;
      this.#channel.fail(cause);
      throw cause;
    }
  }

  #failed(cause: unknown): void {
    this.#controller?.deref()?.error(cause);
    this.#reject(cause);
  }

  #reject(cause: unknown): void {
    this.#cause = cause;
    const waiting = Number(this.#write !== undefined) + Number(this.#close !== undefined);
    if (waiting > 0) this.#channel.waits(-waiting);
    this.#write?.reject(cause);
    this.#close?.reject(cause);
    this.#write = undefined;
    this.#close = undefined;
  }
}

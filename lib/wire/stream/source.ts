import type { ReadableStream, ReadableStreamDefaultReader } from 'node:stream/web';
import { UnserializableError } from '../errors.ts';

/** What a source gives when it is asked for the next item. */
export interface Pulled {
  readonly done?: boolean;
  readonly value?: unknown;
}

/** Where the items of an exported stream come from. */
export interface Source {
  /** Asks for the next item; whatever it throws or rejects with is the source's failure. */
  next(): Pulled | PromiseLike<Pulled>;
  /** Nothing more is wanted; never throws. */
  close(reason: unknown): void;
  /** The consumer failed; never throws. */
  fail(cause: unknown): void;
  /** Nothing ever was wanted: leaves what it reads from as it was. */
  release(): void;
}

/** Ends what nobody waits for any more; a source that fails while it is stopped has nobody left to tell. */
export const ignore = (end: () => unknown): void => {
  // An executor's throw becomes a rejection too.
  new Promise((resolve) => resolve(end())).catch(() => {});
};

type Ending = Partial<Pick<AsyncIterator<unknown, unknown, undefined>, 'return' | 'throw'>>;

/** A Readable of Node.js, which ends at once where its iterator would wait for the next chunk first. */
const isNodeStream = (value: object): value is { destroy(): unknown } => {
  const { destroy, pipe } = value as { destroy?: unknown; pipe?: unknown };
  return typeof destroy === 'function' && typeof pipe === 'function';
};

/** Reads what has an async iterator, which is not even made before the first item is wanted. */
export class IterableSource implements Source {
  readonly #iterable: AsyncIterable<unknown>;
  #iterator: AsyncIterator<unknown> | undefined;

  constructor(iterable: AsyncIterable<unknown>) {
    this.#iterable = iterable;
  }

  next(): Pulled | PromiseLike<Pulled> {
    this.#iterator ??= this.#iterable[Symbol.asyncIterator]();
    return this.#iterator.next();
  }

  close(): void {
    ignore(() => this.#ending()?.return?.());
  }

  fail(cause: unknown): void {
    ignore(async () => {
      const ending = this.#ending();
      if (typeof ending?.throw !== 'function') return ending?.return?.();
      const result = await ending.throw(cause);
      // It caught the error and would go on.
      if (!result.done) await ending.return?.();
    });
  }

  release(): void {}

  /** The iterator; before that was made, the iterable if it is one itself, as generators are. */
  #ending(): Ending | undefined {
    if (isNodeStream(this.#iterable)) {
      this.#iterable.destroy();
      return undefined;
    }
    if (this.#iterator) return this.#iterator;
    return typeof (this.#iterable as { next?: unknown }).next === 'function'
      ? (this.#iterable as Ending)
      : undefined;
  }
}

/** Reads a ReadableStream, which is locked from the beginning, so that nobody else reads what is promised to the peer. */
export class ReadableSource implements Source {
  readonly #reader: ReadableStreamDefaultReader<unknown>;

  /** Throws UnserializableError if somebody else reads the stream. */
  constructor(stream: ReadableStream<unknown>) {
    if (stream.locked) throw lockedError('ReadableStream', 'reader');
    this.#reader = stream.getReader();
  }

  next(): PromiseLike<Pulled> {
    return this.#reader.read();
  }

  close(reason: unknown): void {
    ignore(() => this.#reader.cancel(reason));
  }

  fail(cause: unknown): void {
    this.close(cause);
  }

  release(): void {
    this.#reader.releaseLock();
  }
}

/** What is thrown for a stream that somebody else has in use. */
export const lockedError = (name: string, holder: string): UnserializableError =>
  new UnserializableError(
    `A locked ${name} can't be sent to another site; release its ${holder}, or send the stream before you lock it.`,
    'stream',
  );

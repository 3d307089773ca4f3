import type { ReadableStream, WritableStream } from 'node:stream/web';

/** What a stream is on both sides; it is written into the record that introduces it. */
export type StreamKind = 'iterable' | 'readable' | 'writable';

/** How a stream is written down; the id is always the sender's, because a stream that goes home is passed on there. */
export interface StreamRecord {
  readonly kind: StreamKind;
  readonly id: number;
  readonly home: false;
}

// By the tag and not by the class, because a stream may be of another realm, or of a package that brings its own.
const isTagged = (value: object, tag: string, method: string): boolean =>
  (value as Record<symbol, unknown>)[Symbol.toStringTag] === tag &&
  typeof (value as Record<string, unknown>)[method] === 'function';

/** Whether a value is a ReadableStream, of any realm. */
export const isReadableStream = (value: object): value is ReadableStream<unknown> =>
  isTagged(value, 'ReadableStream', 'getReader');

/** Whether a value is a WritableStream, of any realm. */
export const isWritableStream = (value: object): value is WritableStream<unknown> =>
  isTagged(value, 'WritableStream', 'getWriter');

/** Whether a value can be read with `for await`: async generators, Node's Readables, what was imported. */
export const isAsyncIterable = (value: object): value is AsyncIterable<unknown> =>
  typeof (value as Record<symbol, unknown>)[Symbol.asyncIterator] === 'function';

/**
 * As which kind of stream a value crosses, `undefined` for everything else. Functions never do: the proxy of a remote
 * value answers to every name.
 */
export const streamKind = (value: unknown): StreamKind | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  // A ReadableStream can be iterated too, so the question after that comes last.
  if (isReadableStream(value)) return 'readable';
  if (isWritableStream(value)) return 'writable';
  return isAsyncIterable(value) ? 'iterable' : undefined;
};

/**
 * What streams need of a session. `home` says that the id is the receiver's own. Nothing here may be called while a
 * value is being encoded, and streams never do so by themselves.
 */
export interface StreamPort {
  /** Chooses an id of ours (negative, never used again). */
  nextId(): number;
  /**
   * Sends one item; returns the bytes it took on the wire; throws UnserializableError (nothing was sent then). The
   * peer's `onChunk` must be given the same number, because both sides count the credit with it.
   */
  chunk(id: number, home: boolean, value: unknown): number;
  /** The producer is done; `value` is what the generator returned. Throws as `chunk` does. */
  end(id: number, home: boolean, value: unknown): void;
  /** The producer failed. */
  fail(id: number, home: boolean, cause: unknown): void;
  /** The consumer has taken so much and wants so much more. */
  credit(id: number, home: boolean, bytes: number): void;
  /** So many more of this side's users wait for the other side, or fewer: the process must not end meanwhile. */
  waits(more: number): void;
  /** The consumer is done: it wants no more (`cause` is undefined), or failed. */
  stop(id: number, home: boolean, cause: unknown): void;
}

/** The end of a stream from which items come. Each stream has one on one side, whoever owns the id. */
export interface ProducerEnd {
  readonly role: 'producer';
  /** The consumer wants so many bytes more; throws ProtocolError if it can't want that. */
  credit(bytes: number): void;
  /** The consumer wants no more, or failed. */
  stop(cause: unknown): void;
  /** The session is over. */
  cut(makeError: () => unknown): void;
  /** What introduces the stream was never sent: all is as it was before. */
  withdraw(): void;
}

/** The end of a stream at which items arrive. */
export interface ConsumerEnd {
  readonly role: 'consumer';
  /** An item arrived that took so many bytes; throws ProtocolError if there was no credit for it. */
  chunk(value: unknown, bytes: number): void;
  /** There are no more items. */
  end(value: unknown): void;
  /** The producer failed, or an item could not be read. */
  fail(cause: unknown): void;
  /** The session is over. */
  cut(makeError: () => unknown): void;
  /** What introduces the stream was never sent: all is as it was before. */
  withdraw(): void;
}

/** One of both. */
export type StreamEnd = ProducerEnd | ConsumerEnd;

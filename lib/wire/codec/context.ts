/**
 * How something that stays where it is is written down: what it is, its id in the sender's table, or, if it comes home,
 * in the receiver's.
 */
export interface LiveRecord {
  readonly kind: string;
  readonly id: number;
  readonly home: boolean;
  /** What goes with it by value, for instance the reason of a signal that is aborted already. */
  readonly value?: unknown;
}

/** What the codec needs of a session to write a value. */
export interface EncodeContext {
  /** How deep values may be nested. */
  readonly depth: number;
  /**
   * Makes a live value (a function, a reference, a stream, a signal …) reachable from the other side; `path` says where
   * it was found, for who refuses it.
   */
  exportValue(value: object, path: () => string): LiveRecord;
  /** Takes back an introduction whose message was never sent. */
  withdraw(record: LiveRecord): void;
  /**
   * Sends bytes outside of the frame; returns the number under which they will be found, or `undefined` if they are to
   * lie in the frame. `moves` says that the sender gives the whole buffer away.
   */
  carry(bytes: Uint8Array, moves: boolean): number | undefined;
  /** Shares memory with the other side; returns its number, or `undefined` if the link can't. */
  share(memory: SharedArrayBuffer): number | undefined;
}

/** What it needs to read one. */
export interface DecodeContext {
  /** How deep values may be nested. */
  readonly depth: number;
  /** Gives the value that a record stands for. */
  importValue(record: LiveRecord): unknown;
  /** The memory of bytes that were sent outside of the frame; it may still be filling. */
  carried(number: number, size: number): ArrayBuffer;
  /** The memory that the sender shares under a number. */
  shared(number: number): SharedArrayBuffer;
  /** A part of the value is there only when `promise` has settled: it is then put in its place with `put`. */
  later(promise: PromiseLike<unknown>, put: (value: unknown) => void): void;
}

import type { Holders } from './holders.ts';

/** A channel at its owner, whatever keeps its values. */
export interface ChannelCell {
  readonly kind: 'channel';
  readonly holders: Holders;
  /** Whether there is a value to be taken now. */
  ready(): boolean | Promise<boolean>;
  open(): boolean | Promise<boolean>;
  /** Resolves when the value is in, and where nothing is kept when it was taken. Rejects with ChannelClosedError. */
  put(value: unknown, signal: AbortSignal | undefined): Promise<void>;
  /**
   * Gives the next value to `from`. It counts as taken when `taken` is told of the same request; if `withdraw` is, or
   * `from` ends before, it goes to the next one in its old place. Rejects with ChannelClosedError.
   */
  take(request: string, from: number): Promise<{ readonly value: unknown }>;
  taken(request: string): void;
  withdraw(request: string): void;
  /** The next value, which stays. */
  peek(signal: AbortSignal | undefined): Promise<{ readonly value: unknown }>;
  close(): void | Promise<void>;
  /** A process has ended: what was delivered to it and not told to have arrived is there again. */
  left(id: number): void;
  /** Nobody holds it any more. */
  drop(cause: unknown): void;
}

import type { Buffer } from 'node:buffer';
import { HEADER, Kind } from '../wire/frame/frame.ts';
import type { Beside } from '../wire/link/link.ts';
import { Session } from '../wire/session.ts';

/** Where the first call's frame begins in bytes that hold frames; `end` if there is none. */
const firstCall = (bytes: Buffer, start: number, end: number): number => {
  let at = start;
  while (at + HEADER <= end && bytes[at + 4] !== Kind.call) at += 4 + bytes.readUInt32LE(at);
  return Math.min(at, end);
};

/**
 * A site's end of the session. A site without calls does nothing but wait, so that a thread for its lifeline would be
 * the dearest part of its start and of no use; the first call may never let go of the main thread. So the thread is
 * started between the two: when the first call has arrived, and before it is performed.
 */
export class SiteSession extends Session {
  #onTie: (() => void) | undefined;

  /** `onTie` is called once, right before the first call is performed; the rest goes to the session. */
  constructor(onTie: () => void, ...session: ConstructorParameters<typeof Session>) {
    super(...session);
    this.#onTie = onTie;
  }

  /** Calls `onTie` now, if that has not been done. */
  tie(): void {
    const onTie = this.#onTie;
    this.#onTie = undefined;
    onTie?.();
  }

  override receive(bytes: Buffer, start: number, end: number, beside?: Beside['values']): void {
    if (!this.#onTie) return super.receive(bytes, start, end, beside);
    const call = firstCall(bytes, start, end);
    // The greeting leaves first: it may have come together with the call.
    if (call > start) super.receive(bytes, start, call, beside);
    if (call === end) return;
    this.tie();
    super.receive(bytes, call, end, beside);
  }
}

import type { Buffer } from 'node:buffer';
import { HEADER, Kind } from '../frame/frame.ts';
import type { Inbox } from '../frame/inbox.ts';
import type { Beside, Link } from '../link/link.ts';

/** A call's answer, as it came. */
export interface Answer {
  readonly value: unknown;
  readonly threw: boolean;
}

/** What a synchronous wait needs of a session. */
export interface SyncWait {
  readonly inbox: Inbox;
  readonly link: Link | undefined;
  /** The call whose answer is waited for. */
  readonly id: number;
  decode(bytes: Buffer, body: number, end: number, beside: Beside['values'] | undefined): unknown;
  /** Takes in a part of a large message; those of the answer are among them. */
  onPart(bytes: Buffer, at: number, end: number): void;
  /** Whether parts of the answer that was decoded are still to come. */
  incomplete(): boolean;
  /** Whether the answer can't come any more. */
  over(): boolean;
}

/**
 * Blocks this thread until a call's answer is there: for what user code asks for synchronously, as `require` does. All
 * else that arrives meanwhile is handled afterwards, in its order. Gives `undefined` after `timeout` milliseconds; throws
 * what decoding throws.
 */
export const awaitSync = (wait: SyncWait, timeout: number): Answer | undefined => {
  const { inbox, link, id, decode, over } = wait;
  let answer: (() => Answer) | undefined;
  const letGo = inbox.hold(
    (bytes, at, end, beside) => {
      const kind = bytes[at + 4];
      if (kind === Kind.part) {
        wait.onPart(bytes, at, end);
        return true;
      }
      if (kind !== Kind.return && kind !== Kind.throw) return false;
      if (bytes.readDoubleLE(at + HEADER) !== id) return false;
      try {
        const value = decode(bytes, at + HEADER + 8, end, beside);
        answer = () => ({ value, threw: kind === Kind.throw });
      } catch (cause) {
        // A body that can't be read fails its call and not the link.
        answer = () => {
          throw cause;
        };
      }
      return true;
    },
    (cause) => link?.destroy(cause as Error),
  );
  const end = performance.now() + timeout;
  try {
    while ((!answer || wait.incomplete()) && !over() && performance.now() < end) {
      link?.receiveSync(end - performance.now());
    }
    if (answer && wait.incomplete()) return undefined;
  } finally {
    letGo();
  }
  return (answer as (() => Answer) | undefined)?.();
};

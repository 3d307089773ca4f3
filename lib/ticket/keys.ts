import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { TicketReason } from './errors.ts';
import { ID_SIZE, KEY_SIZE } from './ticket.ts';

/** How long a ticket may be used. */
export interface TicketTerms {
  /** Whether it can be used once only. */
  once?: boolean;
  /** When it ends: in so many milliseconds, or at a time. @default never */
  expires?: number | Date;
}

/** The two halves of a ticket that its giver knows it by, in base64url. */
export interface Pass {
  readonly id: string;
  readonly key: string;
}

interface Entry<T> {
  readonly key: Buffer;
  readonly once: boolean;
  readonly expires: number;
  readonly timer: NodeJS.Timeout | undefined;
  /** Kept until the key can't be used any more, so that a ticket that nobody takes holds it no longer than that. */
  what: { readonly value: T } | undefined;
  over: TicketReason | undefined;
}

/** The longest time that Node's timers take, in milliseconds; a key that lasts longer ends when it is next used. */
const FOREVER = 2 ** 31 - 1;
/** How many keys that are over are remembered, so that their holders learn why they are refused. */
const REMEMBERED = 1_000;
const NOBODYS = Buffer.alloc(KEY_SIZE);

/** A pass that nobody can guess. */
export const newPass = (): Pass => ({
  id: randomBytes(ID_SIZE).toString('base64url'),
  key: randomBytes(KEY_SIZE).toString('base64url'),
});

/** The keys that one process has given out, and what each of them opens. */
export class Keys<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #over: string[] = [];

  /** How many keys can still be used. */
  get size(): number {
    return this.#entries.size - this.#over.length;
  }

  /** Gives out a key for a value. */
  issue(value: T, { once = false, expires }: TicketTerms, pass = newPass()): Pass {
    const ends = expires instanceof Date ? expires.getTime() : Date.now() + (expires ?? Infinity);
    const timer =
      ends === Infinity
        ? undefined
        : setTimeout(
            () => Date.now() >= ends && this.#end(pass.id, 'expired'),
            Math.min(Math.max(0, ends - Date.now()) + 1, FOREVER),
          );
    timer?.unref();
    const key = Buffer.from(pass.key, 'base64url');
    this.#entries.set(pass.id, { key, once, expires: ends, timer, what: { value }, over: undefined });
    return pass;
  }

  /** The secret of a key that was given out, also of one that is over: who shows it may be told why. */
  secretOf(id: string): Buffer | undefined {
    return this.#entries.get(id)?.key;
  }

  /** What a key opens, or why it opens nothing; the key is compared in a time that tells nothing of it. */
  open(id: string, key: Uint8Array): { readonly value: T } | TicketReason {
    const entry = this.#entries.get(id);
    const right = timingSafeEqual(entry?.key ?? NOBODYS, key);
    if (!entry || !right) return 'forged';
    // A timer may be late; the clock is not.
    if (!entry.over && Date.now() >= entry.expires) this.#end(id, 'expired');
    if (entry.over) return entry.over;
    const { what } = entry;
    if (entry.once) this.#end(id, 'used');
    return what!;
  }

  /** Takes a key back; false if there is none that could still be used. */
  retract(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry || entry.over) return false;
    this.#end(id, 'gone');
    return true;
  }

  #end(id: string, why: TicketReason): void {
    const entry = this.#entries.get(id)!;
    if (entry.over) return;
    clearTimeout(entry.timer);
    entry.over = why;
    entry.what = undefined;
    if (this.#over.push(id) > REMEMBERED) this.#entries.delete(this.#over.shift()!);
  }
}

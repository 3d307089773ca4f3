import type { Verifier } from '../password-file.ts';
import type { Session } from './proofs.ts';

/** How long a session lasts, in seconds. */
export const SESSION_LASTS = 3_600;
/** So many are remembered; then the oldest are forgotten, and their users give their passwords again. */
const MOST = 4_096;

interface Lasting {
  readonly user: string;
  readonly verifier: Verifier;
  readonly key: Buffer;
  readonly ends: number;
}

/** Who has proved by a password who he is, and may come in again for a while without it. */
export class Sessions {
  /** The oldest first. */
  readonly #sessions = new Map<string, Lasting>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  begin(user: string, verifier: Verifier, { identity, key }: Session): void {
    const now = this.#now();
    for (const [name, { ends }] of this.#sessions) {
      if (ends > now && this.#sessions.size < MOST) break;
      this.#sessions.delete(name);
    }
    this.#sessions.set(identity, { user, verifier, key, ends: now + SESSION_LASTS * 1_000 });
  }

  /** Whose session it is, if its time is not over and the user's password is still the one by which it began. */
  find(identity: string, verifiers: ReadonlyMap<string, Verifier>) {
    const session = this.#sessions.get(identity);
    if (!session) return undefined;
    const verifier = verifiers.get(session.user);
    if (session.ends > this.#now() && verifier?.record === session.verifier.record)
      return { user: session.user, domain: verifier.domain, key: session.key };
    this.#sessions.delete(identity);
    return undefined;
  }
}

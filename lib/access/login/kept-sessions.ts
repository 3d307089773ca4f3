import { AccessError } from '../errors.ts';
import { unlessAborted } from '../reach.ts';
import type { Session } from './proofs.ts';

/** A session is not begun anew with so little left of it, in milliseconds. */
const SPARE = 30_000;
/** So many are kept; the oldest go first. */
const MOST = 1_024;

/** A session, and for how many milliseconds it is good. */
export interface Begun {
  readonly session: Session;
  readonly lasts: number;
}

type Password = string | (() => string | Promise<string>);

interface Kept {
  readonly password: Password;
  readonly begun: Promise<Begun>;
  ends: number;
}

/** The sessions that this process has by passwords, so that its next sites come in without one. */
export class KeptSessions {
  readonly #kept = new Map<string, Kept>();

  /**
   * The session for a name, which `logIn` begins if there is none. Who asks while somebody else's login goes on gets that
   * one's; if it fails for any reason but the password, he logs in himself, because his time is another one.
   */
  async get(
    name: string,
    password: Password,
    logIn: () => Promise<Begun>,
    signal: AbortSignal,
  ): Promise<{ readonly session: Session; readonly fresh: boolean }> {
    for (;;) {
      const found = this.#kept.get(name);
      if (found?.password !== password || found.ends <= performance.now() + SPARE) break;
      try {
        return { session: (await unlessAborted(found.begun, signal)).session, fresh: false };
      } catch (cause) {
        if (signal.aborted || (cause instanceof AccessError && cause.reason === 'password')) throw cause;
      }
    }
    const kept: Kept = { password, begun: logIn(), ends: Number.POSITIVE_INFINITY };
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    if (this.#kept.size > MOST) this.#kept.delete(this.#kept.keys().next().value as string);
    try {
      const { session, lasts } = await kept.begun;
      kept.ends = performance.now() + lasts;
      return { session, fresh: true };
    } catch (cause) {
      if (this.#kept.get(name) === kept) this.#kept.delete(name);
      throw cause;
    }
  }

  /** The server does not know it any more. */
  forget(name: string, session: Session): void {
    const kept = this.#kept.get(name);
    void kept?.begun.then(
      (held) => held.session === session && this.#kept.get(name) === kept && this.#kept.delete(name),
      () => {},
    );
  }
}

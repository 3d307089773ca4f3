import type { ExitedReason } from '../errors.ts';
import { ProcessExitedException } from '../errors.ts';
import type { Outcome } from '../protocol.ts';
import { FutureSetError, NoReferenceError } from './errors.ts';
import { Holders } from './holders.ts';
import { Waiters } from './waiters.ts';

/** A Future at its owner: written once, and empty again when all who hold it have its value. */
export class FutureCell {
  readonly kind = 'future';
  readonly holders = new Holders();
  /** In messages. */
  readonly #name: string;
  /** The process that makes the value. */
  readonly #waitingFor: number | undefined;
  #isSet = false;
  #outcome: Outcome | undefined;
  /** Those who have the value themselves. */
  readonly #have = new Set<number>();
  /** Who was asked for the value, because it was sent on when it was not here any more. */
  #wantedFrom: number | undefined;
  readonly #waiters = new Waiters<Outcome>();
  readonly #onMiss: () => void;

  /** `onMiss` is called when somebody waits for a value that is set but not here, and nobody is known to bring it. */
  constructor(name: string, waitingFor: number | undefined, onMiss: () => void) {
    this.#name = name;
    this.#waitingFor = waitingFor;
    this.#onMiss = onMiss;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  /** Whether the value lies here. */
  get filled(): boolean {
    return this.#outcome !== undefined;
  }

  /** Throws FutureSetError. */
  set(outcome: Outcome): void {
    if (this.#isSet) throw new FutureSetError(this.#name);
    this.settle(outcome);
  }

  /** The same, or the value comes home; what is here already stays. */
  settle(outcome: Outcome): void {
    if (this.#outcome) return;
    this.#isSet = true;
    this.#wantedFrom = undefined;
    this.#outcome = outcome;
    this.#waiters.resolve(outcome);
    this.review();
  }

  async get(signal: AbortSignal | undefined): Promise<Outcome> {
    if (this.#outcome) return this.#outcome;
    // Who sent it on will say so, unless it has died before it could.
    if (this.#isSet && this.#wantedFrom === undefined) this.#onMiss();
    return this.#waiters.wait(signal);
  }

  /** Nobody has told for long that it brings the value. */
  miss(): void {
    if (this.#outcome || this.#wantedFrom !== undefined) return;
    this.#waiters.reject(
      new NoReferenceError(`${this.#name} has no value any more: all who had fetched it are gone.`),
    );
  }

  /** Waits until it is set, wherever the value lies then. */
  async wait(signal: AbortSignal | undefined): Promise<{ readonly error?: unknown }> {
    const outcome = this.#isSet && !this.#outcome ? undefined : await this.get(signal);
    return outcome && 'error' in outcome ? { error: outcome.error } : {};
  }

  /** This process has the value itself. */
  have(id: number): void {
    if (!this.#isSet) return;
    this.#have.add(id);
    this.review();
  }

  /** This process does not have it any more; if the Future is sent there again, it will want the value again. */
  released(id: number): void {
    this.#have.delete(id);
  }

  /** This process has sent it on. Whether the value is needed back from there. */
  wants(from: number): boolean {
    if (!this.#isSet || this.#outcome) return false;
    this.#wantedFrom = from;
    return true;
  }

  /** Drops the value if all who hold the Future have it. */
  review(): void {
    if (!this.#outcome || this.holders.loans > 0 || this.holders.empty) return;
    for (const id of this.holders.ids) if (!this.#have.has(id)) return;
    this.#outcome = undefined;
  }

  /** A process has ended. */
  left(id: number, reason: ExitedReason): void {
    const hadLast = this.#have.delete(id) && this.#have.size === 0;
    const missed = this.#isSet && !this.#outcome && this.#waiters.size > 0;
    if (this.#wantedFrom === id || (hadLast && missed)) {
      this.settle({ error: exited(id, reason, `the value of ${this.#name} was lost with it`) });
    } else if (this.#waitingFor === id && !this.#isSet) {
      this.settle({ error: exited(id, reason, `it was to make the value of ${this.#name}`) });
    }
  }

  drop(cause: unknown): void {
    this.#outcome = undefined;
    this.#waiters.reject(cause);
  }
}

const exited = (id: number, reason: ExitedReason, what: string): ProcessExitedException =>
  new ProcessExitedException(id, reason, true, { what });

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** No call of the load may take so long, in milliseconds, whatever happens to the tree: one that does hangs. */
const HANGS_AFTER = 60_000;

/** Makes the call of that name, somewhere in the tree. */
export type MakeCall = (call: string, options: { timeout: number }) => PromiseLike<string>;

/** What became of a call: its rejection, if there was one, says whether it may have run. */
type Outcome = 'answered' | 'may have run' | 'not run';

/** Callers that go on through all faults, and a ledger of what became of each call. */
export class Load {
  readonly #callers: Promise<void>[];
  readonly #outcomes = new Map<string, Outcome>();
  /** What should never happen. */
  readonly #wrong: string[] = [];
  #stopped = false;
  #made = 0;

  constructor(callers: number, make: MakeCall) {
    this.#callers = Array.from({ length: callers }, () => this.#callOn(make));
  }

  /** Makes no more calls; resolves when all have been answered or rejected. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  /** How many calls came to what. */
  get counts(): Record<Outcome | 'made', number> {
    const counts = { made: this.#made, answered: 0, 'may have run': 0, 'not run': 0 };
    for (const outcome of this.#outcomes.values()) counts[outcome]++;
    return counts;
  }

  /**
   * What is wrong, after all has stopped: a call without an outcome, with two, with another's answer or an error that is
   * none of ours; one that ran twice; one that was answered and never ran; one that ran although its error denies it.
   */
  mistakes(journal: string): string[] {
    const runs = new Map<string, number>();
    for (const call of readFileSync(journal, 'utf8').split('\n').filter(Boolean)) {
      runs.set(call, (runs.get(call) ?? 0) + 1);
    }
    const wrong = [...this.#wrong];
    for (const [call, times] of runs) if (times > 1) wrong.push(`${call} ran ${times} times`);
    for (const [call, outcome] of this.#outcomes) {
      const ran = runs.has(call);
      if (outcome === 'answered' && !ran) wrong.push(`${call} was answered and never ran`);
      if (outcome === 'not run' && ran) wrong.push(`${call} ran, and its error says that it did not`);
    }
    if (this.#outcomes.size !== this.#made) wrong.push(`${this.#made - this.#outcomes.size} calls hang`);
    return wrong;
  }

  async #callOn(make: MakeCall): Promise<void> {
    while (!this.#stopped) {
      const call = `call-${++this.#made}`;
      // As a program would: not at once again, where there is nobody.
      if (!(await this.#isAnswered(call, make))) await delay(5);
    }
  }

  /** Not by `await`, which would not see that a call is settled twice. */
  #isAnswered(call: string, make: MakeCall): Promise<boolean> {
    return new Promise((resolve) => {
      make(call, { timeout: HANGS_AFTER }).then(
        (answer) => {
          if (answer !== call) this.#wrong.push(`${call} got the answer of ${answer}`);
          this.#settle(call, 'answered');
          resolve(true);
        },
        (error) => {
          this.#settle(call, this.#outcomeOf(call, error));
          resolve(false);
        },
      );
    });
  }

  #settle(call: string, outcome: Outcome): void {
    if (this.#outcomes.has(call)) this.#wrong.push(`${call} was settled twice`);
    this.#outcomes.set(call, outcome);
  }

  #outcomeOf(call: string, error: unknown): Outcome {
    const { name, code, mayHaveRun } = error as { name?: string; code?: string; mayHaveRun?: boolean };
    if (typeof mayHaveRun === 'boolean') return mayHaveRun ? 'may have run' : 'not run';
    // The supervisor that the call waited with gave up.
    if (/^ERR_OFFSITE_(CHILD|NO_CHILD|SUPERVISOR)/.test(code ?? '')) return 'not run';
    this.#wrong.push(`${call} was rejected with ${name} ${code}: ${(error as Error).message}`);
    return 'may have run';
  }
}

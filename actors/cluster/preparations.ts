import type { FunctionText, Outcome } from '../../lib/cluster/function-text.ts';

/** Something that was run everywhere, and is run in each process that joins later. */
interface Preparation {
  readonly fn: FunctionText;
  readonly args: readonly unknown[];
}

/** What every process of a cluster has run, in order: Julia's `@everywhere`, which there misses late joiners. */
export class Preparations {
  readonly #list: Preparation[] = [];

  /** From now on whoever joins runs it too; what is returned takes it back. */
  add(fn: FunctionText, args: readonly unknown[]): () => void {
    const preparation = { fn, args };
    this.#list.push(preparation);
    return () => {
      const at = this.#list.indexOf(preparation);
      if (at >= 0) this.#list.splice(at, 1);
    };
  }

  /**
   * Runs all in one process, by `perform`, those too that are added meanwhile; rejects with what the first of them
   * threw. When this resolves nothing is missing, and its caller must count the process in before it waits again.
   */
  async replay(perform: (fn: FunctionText, args: readonly unknown[]) => Promise<Outcome>): Promise<void> {
    const done = new Set<Preparation>();
    for (;;) {
      const next = this.#list.find((each) => !done.has(each));
      if (!next) return;
      done.add(next);
      const outcome = await perform(next.fn, next.args);
      // One that has failed elsewhere meanwhile was taken back.
      if ('error' in outcome && this.#list.includes(next)) throw outcome.error;
    }
  }
}

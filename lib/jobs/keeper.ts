import type { FunctionText } from '../cluster/function-text.ts';
import { LoadedFunctions } from '../cluster/loaded-functions.ts';
import { RemoteTarget } from '../wire/reference/reference.ts';
import { type KeptOutcome, type KeptState, keptOutcomes } from './kept.ts';
import { readBack } from './written.ts';

/** What runs in the sites of a job server that has a journal; it travels there as any module does. */

/** What a client must do for a keeper. */
export interface KeeperDesk {
  /** Loads a module in the keeper's site, and gives it. */
  load(fn: FunctionText): Promise<object>;
}

/** One client's way to the jobs of a site. */
export class Keeper extends RemoteTarget {
  readonly #functions: LoadedFunctions;

  constructor(desk: KeeperDesk) {
    super();
    this.#functions = new LoadedFunctions((fn) => desk.load(fn));
  }

  /** Runs a function as a job, unless that runs here or has; `args` were written down. */
  run(id: string, fn: FunctionText, args: Uint8Array): Promise<KeptOutcome> {
    return keptOutcomes().run(id, async () => {
      const outcome = await this.#functions.perform(fn, readBack(args) as unknown[]);
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    });
  }

  /** What becomes of a job, when it has ended; nothing if it is not known here. */
  async outcome(id: string): Promise<KeptOutcome | undefined> {
    return keptOutcomes().outcome(id);
  }

  /** See KeptOutcomes. */
  states(ids: readonly string[]): KeptState[] {
    return keptOutcomes().states(ids);
  }

  /** See KeptOutcomes. */
  forget(ids: readonly string[]): void {
    keptOutcomes().forget(ids);
  }
}

/** Begins to keep jobs for a client. */
export const keep = (desk: KeeperDesk): Keeper => new Keeper(desk);

import { inspect } from 'node:util';
import type { SiteExit } from '../remote-manager.ts';
import type { ClusterManager, LaunchRequest, WorkerConfig, WorkerEvent } from './manager.ts';
import { Shared } from './shared.ts';
import { Allocation } from './slurm/allocation.ts';
import { bindsToCores, nodesOf, showJob } from './slurm/commands.ts';
import { SlurmError } from './slurm/errors.ts';
import {
  type CheckedSlurmOptions,
  checkSlurmOptions,
  type SlurmManagerOptions,
  srunWords,
} from './slurm/options.ts';
import { place } from './slurm/placement.ts';
import { slurmReason } from './slurm/reasons.ts';

export { SlurmError } from './slurm/errors.ts';
export type { SlurmManagerOptions } from './slurm/options.ts';

/** What is known of a worker that is a step of a job; a config's `userdata`. */
export interface SlurmWorker {
  /** The job's number. */
  readonly job: string;
  readonly node: string;
  /** The name of its step, by which `squeue --steps` shows it. */
  readonly step: string;
}

/**
 * Starts workers as job steps of Slurm, by Slurm's own commands: in the allocation in which this program runs, in that
 * of a job that is named, or in one that it has Slurm make and gives back when the last worker is gone. However this
 * program ends, the allocation that was made for it does, too. Throws OptionError.
 */
export class SlurmManager implements ClusterManager {
  readonly maxParallel: number;
  readonly #options: CheckedSlurmOptions;
  readonly #given: SlurmManagerOptions;
  readonly #allocations = new WeakMap<object, { allocation: Allocation; shared: Shared }>();

  constructor(options: SlurmManagerOptions = {}) {
    this.#options = checkSlurmOptions(options);
    this.#given = options;
    this.maxParallel = this.#options.maxParallel;
  }

  async *launch({ signal }: LaunchRequest): AsyncIterable<WorkerConfig> {
    const allocation = await Allocation.get(this.#options, signal);
    const shared = new Shared(() => allocation.end());
    // Holds it until all workers are told of, and those that are not told of never will.
    shared.hold(allocation);
    try {
      const { job } = allocation;
      const [shown, unbind] = await Promise.all([showJob(job, signal), bindsToCores(signal)]);
      const { ntasks = shown.tasks, cpusPerTask = shown.cpusPerTask, site } = this.#options;
      const nodes = await nodesOf(shown, signal);
      if (nodes.length === 0) throw new SlurmError(`Slurm does not tell the nodes of job ${job}.`);
      for (const [at, node] of place(ntasks, nodes, cpusPerTask).entries()) {
        const worker: SlurmWorker = { job, node, step: `${allocation.prefix}${at}` };
        shared.hold(worker);
        this.#allocations.set(worker, { allocation, shared });
        yield {
          site: { ...site, host: node, fork: srunWords(this.#options, worker, unbind) },
          ident: at,
          userdata: worker,
        };
      }
    } finally {
      await shared.release(allocation);
    }
  }

  async manage(event: WorkerEvent, _id: number, { userdata }: WorkerConfig): Promise<void> {
    const worker = userdata as SlurmWorker;
    const held = this.#allocations.get(worker);
    if (!held || (event !== 'deregister' && event !== 'finalize')) return;
    // The end of an allocation of our own ends every step in it, and that of another's is swept then.
    const last = held.shared.release(worker);
    if (held.shared.held) await held.allocation.leave(worker.step);
    await last;
  }

  /** Why Slurm ended a worker: a time limit, a lost node, `scancel`; `undefined` if it was not Slurm. */
  explain({ stderr }: SiteExit, { userdata }: WorkerConfig): string | undefined {
    const lost = this.#allocations.get(userdata as SlurmWorker)?.allocation.lost;
    return slurmReason(stderr) ?? slurmReason(lost === undefined ? [] : [lost]);
  }

  toString(): string {
    const { site: _site, ...options } = this.#given;
    const said = Object.entries(options).map(([name, value]) => `${name}=${String(value)}`);
    return `SlurmManager(${said.join(', ')})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

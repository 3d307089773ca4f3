import { inspect } from 'node:util';
import { ForkError } from '../../lib/fork/errors.ts';
import { coresOf, SshMaster, type SshMasterRequest } from '../../lib/fork/ssh-master.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import { type AddProcsOptions, checkAddProcs, listed, siteOptionsOf } from './add-procs-options.ts';
import { asTheyCome } from './as-they-come.ts';
import { formatMachine, type Machine, type MachineTarget, parseMachines } from './machine-spec.ts';
import type { ClusterManager, LaunchRequest, WorkerConfig, WorkerEvent } from './manager.ts';
import { Shared } from './shared.ts';

/** How long the way to a machine may take, in milliseconds, if nobody says otherwise: as a site's start. */
const CONNECT_WITHIN = 30_000;
/** As RemoteManager's. */
const UNREACHABLE_AFTER = 60_000;

/** What a worker of this manager hangs on. */
interface Tie {
  readonly connection: Shared | undefined;
}

/**
 * Starts workers on machines that ssh reaches, on all at once. Those of one machine share one connection, which ends
 * with the last of them; sshd lets ten share one (MaxSessions), and what is more makes its own by itself. A machine
 * that can't be reached is the launch's failure once all others are there. Throws OptionError.
 */
export class SSHManager implements ClusterManager {
  readonly maxParallel: number;
  readonly #machines: readonly Machine[];
  readonly #site: RemoteManagerOptions;
  readonly #multiplex: boolean;
  readonly #tunnel: boolean;

  constructor(machines: readonly MachineTarget[], options: AddProcsOptions = {}) {
    const { ssh, sshflags, tunnel, multiplex, maxParallel } = checkAddProcs('ssh', options);
    this.#machines = parseMachines(machines);
    if (this.#machines.length === 0)
      throw new OptionError(
        'machines',
        'No machine was named; give one or more, for instance ["ada@bamse"].',
      );
    this.maxParallel = maxParallel;
    this.#multiplex = multiplex;
    this.#tunnel = tunnel;
    this.#site = {
      ...siteOptionsOf(options),
      fork: 'ssh',
      sshOptions: listed(sshflags),
      ...(ssh !== undefined && { ssh }),
    };
  }

  async *launch({ signal, defaults }: LaunchRequest): AsyncIterable<WorkerConfig> {
    const giveUp = new AbortController();
    const site = { ...defaults, ...this.#site };
    const lists = this.#machines.map((machine) =>
      this.#onMachine(machine, site, AbortSignal.any([signal, giveUp.signal])),
    );
    const given = new Set<WorkerConfig>();
    try {
      for await (const config of asTheyCome(lists, unreached)) {
        given.add(config);
        yield config;
      }
    } finally {
      // Nobody will tell of those that whoever has asked does not want any more.
      giveUp.abort();
      for (const list of await Promise.allSettled(lists)) {
        const configs = list.status === 'fulfilled' ? list.value : [];
        for (const config of configs) if (!given.has(config)) await this.manage('finalize', 0, config);
      }
    }
  }

  /** The workers of one machine, once it is reached. */
  async #onMachine(
    { host, bind, count }: Machine,
    {
      sshOptions = [],
      ssh,
      timeout = CONNECT_WITHIN,
      unreachableTimeout = UNREACHABLE_AFTER,
    }: RemoteManagerOptions,
    given: AbortSignal,
  ): Promise<WorkerConfig[]> {
    // A timer of its own, because that of AbortSignal.timeout can't be taken back.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(tooLate(host, timeout)), timeout);
    const signal = AbortSignal.any([given, late.signal]);
    const request: SshMasterRequest = {
      ...{ host, sshOptions, timeout, unreachableTimeout, signal },
      ...(ssh !== undefined && { ssh }),
    };
    try {
      // A single site has a connection to itself anyhow.
      const master = this.#multiplex && count !== 1 ? await SshMaster.connect(request) : undefined;
      const connection = master && new Shared(() => master.end());
      const cores = count === 'auto' ? (master?.cores(signal) ?? coresOf(request)) : count;
      const workers = await Promise.resolve(cores).catch(async (cause: unknown) => {
        await master?.end();
        throw cause;
      });
      return Array.from({ length: workers }, () => {
        const tie: Tie = { connection };
        connection?.hold(tie);
        return {
          site: { ...this.#site, host, sshOptions: [...(master?.sharing ?? []), ...sshOptions] },
          ...(bind !== undefined && { bind }),
          ...(this.#tunnel && { tunnel: true }),
          userdata: tie,
        };
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async manage(event: WorkerEvent, _id: number, { userdata }: WorkerConfig): Promise<void> {
    if (event === 'deregister' || event === 'finalize') {
      await (userdata as Tie | undefined)?.connection?.release(userdata as Tie);
    }
  }

  /** Its machines as in a machine file. */
  toString(): string {
    return `SSHManager(machines=[${this.#machines.map(formatMachine).join(', ')}])`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

const unreached = (failures: unknown[]): unknown =>
  failures.length === 1
    ? failures[0]
    : new AggregateError(failures, `${failures.length} machines could not be reached.`);

const tooLate = (host: string, timeout: number): ForkError =>
  new ForkError(host, {
    step: 'timeout',
    what: `ssh was not logged in after ${timeout} ms.`,
    remedy: 'Give the option timeout more, or see what `ssh HOST true` does when run by hand.',
  });

import {
  ClusterClosedError,
  type ExitedReason,
  NoProcessError,
  TopologyError,
} from '../../lib/cluster/errors.ts';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { OwnerService, Reach, RemoveBounds, WorkerService } from '../../lib/cluster/protocol.ts';
import { within } from '../../lib/cluster/within.ts';
import type * as worker from '../../lib/cluster/worker.ts';
import { functorOf } from '../../lib/module/functor-text.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { TimeoutError } from '../../lib/wire/errors.ts';
import type { SiteExit } from '../remote-manager/state.ts';
import type { RemoteManager, RemoteManagerOptions } from '../remote-manager.ts';
import type { Supervisor } from '../supervisor.ts';
import { Admission } from './admission.ts';
import type { ClusterManager, WorkerConfig, WorkerEvent } from './manager.ts';
import type { CheckedClusterOptions } from './options.ts';
import type { Preparations } from './preparations.ts';
import { isReachable, mayCall } from './topology.ts';
import { startWorker } from './worker-site.ts';

/** The module that makes a site a worker, built into one file from `lib/cluster/worker.ts`. */
const WORKER = new URL(
  `${import.meta.url.endsWith('.ts') ? '../../dist' : '../..'}/worker/worker.js`,
  import.meta.url,
);

/** One worker as process 1 keeps it. */
interface WorkerRecord {
  readonly id: number;
  readonly config: WorkerConfig;
  readonly manager: ClusterManager;
  readonly site: RemoteManager;
  /** What it lets others call; usable as soon as it has joined. */
  readonly service: Remote<WorkerService>;
  /** Whether it has been counted in. */
  joined: boolean;
  /** Set when it is being removed: its end is no accident then. */
  removal: Promise<void> | undefined;
}

/** What the workers are told of the cluster that they join. */
export interface WorkersOf {
  readonly member: Member;
  readonly service: OwnerService;
  readonly key: Uint8Array;
  readonly options: CheckedClusterOptions;
  readonly supervisor: Supervisor;
  readonly preparations: Preparations;
  /** Told of what becomes of a worker, see ClusterEvents; `leaving` is waited for no longer than `timeout` ms. */
  readonly starting: (id: number) => Promise<void>;
  readonly joined: (id: number) => Promise<void>;
  readonly leaving: (id: number, timeout: number | undefined) => Promise<void>;
  readonly left: (id: number, reason: ExitedReason) => void;
}

/** The workers of a cluster as process 1 has them: how they come, how others reach them, how they go. */
export class Workers {
  readonly #of: WorkersOf;
  readonly #records = new Map<number, WorkerRecord>();
  /** Those that are being added: the cluster's end is theirs. */
  readonly #adding = new Map<Promise<unknown>, RemoteManager>();
  readonly #admission = new Admission();
  /** Ids are never used again. */
  #last = 1;

  constructor(of: WorkersOf) {
    this.#of = of;
  }

  /** What a worker lets process 1 call, that is in the cluster or about to join. */
  service(id: number): Remote<WorkerService> {
    const record = this.#records.get(id);
    if (!record) throw new NoProcessError(id, this.#of.member.ids);
    return record.service;
  }

  /** The site of a worker; `undefined` if there is none of that id. */
  site(id: number): RemoteManager | undefined {
    return this.#records.get(id)?.site;
  }

  /**
   * Starts a worker and takes it in when it has run all that was run everywhere. Rejects with why it can't be, and then
   * nothing is left of it.
   */
  async add(manager: ClusterManager, config: WorkerConfig, defaults: RemoteManagerOptions): Promise<number> {
    const id = ++this.#last;
    const leave = await this.#admission.enter(
      config.site.host ?? 'localhost',
      manager.maxParallel ?? Number.POSITIVE_INFINITY,
    );
    let site: RemoteManager;
    try {
      await this.#of.starting(id);
      if (this.#of.member.closed) throw new ClusterClosedError();
      site = await startWorker(id, manager, config, defaults, this.#of.options.output);
    } catch (error) {
      leave();
      await this.#tell(manager, 'finalize', id, config);
      throw error;
    }
    const adding = this.#join(id, site, manager, config);
    this.#adding.set(adding, site);
    try {
      return await adding;
    } finally {
      leave();
      this.#adding.delete(adding);
    }
  }

  /** Ends all workers side by side, those that have not joined yet too. Never rejects. */
  async close(timeout: number | undefined): Promise<void> {
    const ends = [...this.#records.values()].map((record) => this.#end(record, timeout));
    const adding = [...this.#adding].map(async ([joining, site]) => {
      await site.close();
      await joining.catch(() => {});
    });
    await Promise.allSettled([...ends, ...adding]);
  }

  async #join(
    id: number,
    site: RemoteManager,
    manager: ClusterManager,
    config: WorkerConfig,
  ): Promise<number> {
    const { member, supervisor, preparations, options, joined } = this.#of;
    let record: WorkerRecord | undefined;
    try {
      if (member.closed) throw new ClusterClosedError();
      const module = site.link<typeof worker>(WORKER);
      const { service: owner, key } = this.#of;
      const { cluster, ids } = member;
      // Its service is called while it joins: by what was run everywhere.
      const service = (await module.join({
        cluster,
        key,
        id,
        owner,
        ids,
      })) as unknown as Remote<WorkerService>;
      record = { id, config, manager, site, service, joined: false, removal: undefined };
      this.#records.set(id, record);
      await supervisor.startChild({ id: String(id), start: () => site, restart: 'temporary' });
      await preparations.replay((fn, args) => service.prepare(fn, args));
      // From here to `joined` nothing waits, so that nothing that is run everywhere can miss it.
      if (member.closed) throw new ClusterClosedError();
      const others = this.#joinedRecords();
      record.joined = true;
      member.joined([id]);
      site.on('exit', (exit) => this.#exited(record!, exit));
      const told = [service.joined(member.ids), ...others.map((other) => other.service.joined([id]))];
      // One that dies meanwhile need not know it.
      await Promise.all(told.map((each) => each.then(undefined, () => {})));
      // Once it is counted in, its death is that of a worker, and no failure to add it.
      if (options.topology !== 'master_worker' && !options.lazy) await this.#connectEagerly(record, others);
      await manager.manage?.('register', id, config);
      if (member.has(id)) await joined(id);
      return id;
    } catch (error) {
      await site.close({ cause: error });
      // Who had joined is deregistered by its exit; a manager hears of each end once.
      if (!record?.joined) {
        this.#records.delete(id);
        member.left(id, 'crashed');
        await this.#tell(manager, 'finalize', id, config);
      }
      throw error;
    }
  }

  /** What the workers let process 1 call that are in the cluster. */
  get services(): ReadonlyMap<number, Remote<WorkerService>> {
    return new Map(this.#joinedRecords().map(({ id, service }) => [id, service]));
  }

  #joinedRecords(): WorkerRecord[] {
    return [...this.#records.values()].filter(({ id }) => this.#of.member.has(id));
  }

  /** As in Julia the later one connects to those before it; who can't be reached directly is not missed. */
  async #connectEagerly({ id, service }: WorkerRecord, others: readonly WorkerRecord[]): Promise<void> {
    const allowed = others.filter((other) => this.#mayCall(id, other.id)).map((other) => other.id);
    await service.connect(allowed).then(undefined, (error: unknown) => {
      if (this.#of.member.has(id)) throw error;
    });
  }

  #exited(record: WorkerRecord, exit: SiteExit): void {
    const { id, config, manager } = record;
    if (!this.#records.delete(id)) return;
    const reason = record.removal ? 'removed' : reasonOf(exit);
    const why = record.removal ? undefined : manager.explain?.(exit, config);
    this.#of.member.left(id, reason, why);
    for (const { service } of this.#joinedRecords()) service.left(id, reason, why).then(undefined, () => {});
    void this.#tell(manager, 'deregister', id, config);
    this.#of.left(id, reason);
  }

  async #tell(manager: ClusterManager, event: WorkerEvent, id: number, config: WorkerConfig): Promise<void> {
    try {
      await manager.manage?.(event, id, config);
    } catch (cause) {
      process.emitWarning(
        `The manager of process ${id} failed when it was told "${event}": ${String(cause)}`,
      );
    }
  }

  /** Ends workers and resolves when they are gone. Rejects with NoProcessError, and TimeoutError, which names who is left. */
  async remove(ids: readonly number[], { timeout: waitfor, callbackTimeout }: RemoveBounds): Promise<void> {
    const records = ids.map((id) => {
      this.#of.member.check(id);
      return this.#records.get(id);
    });
    const start = performance.now();
    const left = new Set<number>();
    const ended = Promise.all(
      records.map(async (record) => {
        // Process 1 is not removed: it is the cluster.
        if (!record) return;
        left.add(record.id);
        record.removal ??= this.#remove(record, callbackTimeout);
        await record.removal;
        left.delete(record.id);
      }),
    );
    await within(ended, 'Their end', { timeout: waitfor }).catch((error: unknown) => {
      // Who is left is told below; what fails later has nobody who listens.
      ended.catch(() => {});
      if (!(error instanceof TimeoutError) || left.size === 0) throw error;
    });
    if (left.size === 0) return;
    const waited = Math.round(performance.now() - start);
    throw new TimeoutError(
      `The processes ${[...left].join(', ')} had not ended ${waited} ms after they were told to; they are still being ended, and killed if they do not.`,
      waited,
    );
  }

  async #remove(record: WorkerRecord, callbackTimeout: number | undefined): Promise<void> {
    await this.#of.leaving(record.id, callbackTimeout);
    await this.#end(record);
  }

  async #end({ id, config, manager, site }: WorkerRecord, timeout?: number): Promise<void> {
    try {
      await manager.kill?.(id, config, site);
    } finally {
      await site.close(timeout === undefined ? {} : { timeout });
    }
  }

  /** Gives up what runs in these workers for others, and tells their managers, which may know more. */
  async interrupt(ids: readonly number[]): Promise<void> {
    await Promise.all(
      ids.map(async (id) => {
        this.#of.member.check(id);
        const record = this.#records.get(id);
        if (!record) return this.#of.service.interrupt();
        await record.service.interrupt();
        await this.#tell(record.manager, 'interrupt', id, record.config);
      }),
    );
  }

  /** See OwnerService. */
  load(into: number, { module, functor }: FunctionText): Promise<object> {
    const site = this.site(into);
    if (!site) throw new NoProcessError(into, this.#of.member.ids);
    const loaded = functor ? site.apply(functorOf(functor)) : site.link(module);
    return loaded as unknown as Promise<object>;
  }

  /** See OwnerService. */
  async reach(from: number, to: number): Promise<Reach> {
    const { member, options } = this.#of;
    member.check(to);
    if (!this.#mayCall(from, to)) throw new TopologyError(from, to, options.topology);
    const record = this.#records.get(to)!;
    const service = record.service as unknown as Reach['service'];
    const caller = this.#records.get(from);
    if (!caller || !isReachable(caller, record)) return { service };
    try {
      return { service, address: await record.service.open(record.config.bind) };
    } catch {
      // It can't listen where it should: this process is between them.
      return { service };
    }
  }

  #mayCall(from: number, to: number): boolean {
    if (from === to || from === 1 || to === 1) return true;
    const { topology } = this.#of.options;
    return mayCall(topology, this.#records.get(from)?.config, this.#records.get(to)?.config);
  }
}

const reasonOf = ({ reason }: SiteExit): ExitedReason =>
  reason === 'fork-failed' || reason === 'disconnected' ? 'crashed' : reason;

import {
  ClusterClosedError,
  type ExitedReason,
  NoProcessError,
  TopologyError,
} from '../../lib/cluster/errors.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type {
  FunctionText,
  OwnerService,
  Reach,
  RemoveBounds,
  WorkerService,
} from '../../lib/cluster/protocol.ts';
import type * as worker from '../../lib/cluster/worker.ts';
import { functorOf } from '../../lib/module/functor-text.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { TimeoutError } from '../../lib/wire/errors.ts';
import { RemoteManager, type RemoteManagerOptions } from '../remote-manager.ts';
import type { Supervisor } from '../supervisor.ts';
import type { ClusterManager, WorkerConfig, WorkerEvent } from './manager.ts';
import type { CheckedClusterOptions } from './options.ts';
import type { Preparations } from './preparations.ts';
import { isReachable, mayCall } from './topology.ts';

/** The module that makes a site a worker: the built one beside built code, the source beside sources. */
const WORKER = new URL(
  `../../lib/cluster/worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);

/** How long those are waited for who were told that a worker is about to be removed, in milliseconds, as in DistributedNext. */
const CALLBACK_WITHIN = 10_000;

/** One worker as process 1 keeps it. */
interface WorkerRecord {
  readonly id: number;
  readonly config: WorkerConfig;
  readonly manager: ClusterManager;
  readonly site: RemoteManager;
  /** What it lets others call; usable as soon as it has joined. */
  readonly service: Remote<WorkerService>;
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
  readonly leaving: (id: number, timeout: number) => Promise<void>;
  readonly left: (id: number, reason: ExitedReason) => void;
}

/** The workers of a cluster as process 1 has them: how they come, how others reach them, how they go. */
export class Workers {
  readonly #of: WorkersOf;
  readonly #records = new Map<number, WorkerRecord>();
  /** Those that are being added: the cluster's end is theirs. */
  readonly #adding = new Map<Promise<unknown>, RemoteManager>();
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
    if (this.#of.member.closed) throw new ClusterClosedError();
    const id = ++this.#last;
    const site = await this.#start(id, manager, config, defaults).catch(async (error: unknown) => {
      await this.#tell(manager, 'finalize', id, config);
      throw error;
    });
    const adding = this.#join(id, site, manager, config);
    this.#adding.set(adding, site);
    try {
      return await adding;
    } finally {
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
      const record: WorkerRecord = { id, config, manager, site, service, removal: undefined };
      this.#records.set(id, record);
      await preparations.replay((fn, args) => service.prepare(fn, args));
      // From here to `joined` nothing waits, so that nothing that is run everywhere can miss it.
      if (member.closed) throw new ClusterClosedError();
      const others = this.#joinedRecords();
      member.joined([id]);
      site.on('exit', ({ reason }) =>
        this.#left(record, reason === 'fork-failed' ? 'crashed' : (reason as ExitedReason)),
      );
      const told = [service.joined(member.ids), ...others.map((other) => other.service.joined([id]))];
      // One that dies meanwhile need not know it.
      await Promise.all(told.map((each) => each.then(undefined, () => {})));
      if (options.topology !== 'master_worker' && !options.lazy) await this.#connectEagerly(record, others);
      await supervisor.startChild({ id: String(id), start: () => site, restart: 'temporary' });
      await manager.manage?.('register', id, config);
      await joined(id);
      return id;
    } catch (error) {
      const record = this.#records.get(id);
      if (record && member.has(id)) this.#left(record, 'crashed');
      else {
        this.#records.delete(id);
        member.left(id, 'crashed');
      }
      await site.close({ cause: error });
      await this.#tell(manager, 'finalize', id, config);
      throw error;
    }
  }

  async #start(
    id: number,
    manager: ClusterManager,
    config: WorkerConfig,
    defaults: RemoteManagerOptions,
  ): Promise<RemoteManager> {
    await this.#of.starting(id);
    // It may have been closed meanwhile, and then nobody would end the site.
    if (this.#of.member.closed) throw new ClusterClosedError();
    const { output } = this.#of.options;
    const print = (stream: 'stdout' | 'stderr') => (line: string) => {
      const text = output(line, { id, stream });
      if (text !== undefined) process[stream].write(`${text}\n`);
    };
    const options: RemoteManagerOptions = {
      name: `process ${id}`,
      stdout: print('stdout'),
      stderr: print('stderr'),
      ...defaults,
      ...config.site,
    };
    return manager.connect ? manager.connect({ ...config, site: options }) : new RemoteManager(options);
  }

  #joinedRecords(): WorkerRecord[] {
    return [...this.#records.values()].filter(({ id }) => this.#of.member.has(id));
  }

  /** As in Julia the later one connects to those before it; who can't be reached directly is not missed. */
  async #connectEagerly({ id, service }: WorkerRecord, others: readonly WorkerRecord[]): Promise<void> {
    const allowed = others.filter((other) => this.#mayCall(id, other.id)).map((other) => other.id);
    await service.connect(allowed);
  }

  #left(record: WorkerRecord, reason: ExitedReason): void {
    const { id, config, manager } = record;
    if (!this.#records.delete(id)) return;
    const why = record.removal ? 'removed' : reason;
    this.#of.member.left(id, why);
    for (const { service } of this.#joinedRecords()) service.left(id, why).then(undefined, () => {});
    void this.#tell(manager, 'deregister', id, config);
    this.#of.left(id, why);
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
  async remove(
    ids: readonly number[],
    { timeout: waitfor, callbackTimeout = CALLBACK_WITHIN }: RemoveBounds,
  ): Promise<void> {
    const records = ids.map((id) => {
      this.#of.member.check(id);
      return this.#records.get(id);
    });
    const start = performance.now();
    const left = new Set<number>();
    await Promise.all(
      records
        .map(async (record) => {
          // Process 1 is not removed: it is the cluster.
          if (!record) return;
          left.add(record.id);
          record.removal ??= this.#remove(record, callbackTimeout);
          await record.removal;
          left.delete(record.id);
        })
        .map((ended) => (waitfor === undefined ? ended : orAfter(ended, waitfor))),
    );
    if (left.size === 0) return;
    const waited = Math.round(performance.now() - start);
    throw new TimeoutError(
      `The processes ${[...left].join(', ')} had not ended ${waited} ms after they were told to; they are still being ended, and killed if they do not.`,
      waited,
    );
  }

  async #remove(record: WorkerRecord, callbackTimeout: number): Promise<void> {
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

  /** How many connections to other workers each has made. One that dies meanwhile is left out. */
  async connections(): Promise<Map<number, number>> {
    const counts = await Promise.all(
      this.#joinedRecords().map(async ({ id, service }) => {
        const made = await service.connections().then(undefined, () => undefined);
        return [id, made] as const;
      }),
    );
    return new Map(counts.filter((each): each is readonly [number, number] => each[1] !== undefined));
  }

  /** See OwnerService. */
  async beside(id: number): Promise<number[]> {
    const { member } = this.#of;
    const hosts = await Promise.all(
      member.ids.map(async (each) => {
        const hostname = member.ask(each, {}, (peer) => peer.hostname());
        // One that dies meanwhile is on no host.
        return [each, each === id ? await hostname : await hostname.catch(() => undefined)] as const;
      }),
    );
    member.check(id);
    const host = new Map(hosts).get(id);
    return hosts.filter(([, hostname]) => hostname === host).map(([each]) => each);
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

/** Waits for a promise, but no longer than so many milliseconds. */
const orAfter = (promise: Promise<unknown>, milliseconds: number): Promise<unknown> => {
  let timer: NodeJS.Timeout;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
};

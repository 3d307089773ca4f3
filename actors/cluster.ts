import { randomBytes, randomUUID } from 'node:crypto';
import { ProcessExitedException, RemoteException } from '../lib/cluster/errors.ts';
import type { FunctionText, Outcome } from '../lib/cluster/function-text.ts';
import { plain } from '../lib/cluster/functions.ts';
import { Member } from '../lib/cluster/member.ts';
import type { CallBounds, MemberService, RemoveBounds } from '../lib/cluster/protocol.ts';
import type { TreeNode } from '../lib/engine/tree.ts';
import type { Remote } from '../lib/module/remote.ts';
import { OptionError } from '../lib/wire/errors.ts';
import { AddedProcs } from './cluster/added-procs.ts';
import { CALLBACK_WITHIN, type ClusterEvents, type ClusterListener, Lifecycle } from './cluster/lifecycle.ts';
import { type AddProcsOptions, type AddProcsTarget, managerOf } from './cluster/manager-of.ts';
import { type CheckedClusterOptions, type ClusterOptions, checkClusterOptions } from './cluster/options.ts';
import { OwnerPerformer } from './cluster/owner-service.ts';
import { Preparations } from './cluster/preparations.ts';
import { connectionsOf, procsBeside } from './cluster/survey.ts';
import { ClusterView } from './cluster/view.ts';
import { Workers } from './cluster/workers.ts';
import { ElasticPool, type ElasticPoolOptions } from './pool/elastic-pool.ts';
import type { RemoteManager } from './remote-manager.ts';
import { Supervisor } from './supervisor.ts';

let clusters = 0;

/**
 * A cluster of sites, as Julia's Distributed has them: this process is 1, its workers count from 2. Several may live in
 * one process. `await using` closes it. Throws OptionError.
 */
export class Cluster extends ClusterView implements AsyncDisposable {
  readonly name: string;
  /** Holds the workers' sites; they are its temporary children, because an id is never used again. */
  readonly supervisor: Supervisor;
  readonly #member: Member;
  readonly #options: CheckedClusterOptions;
  readonly #workers: Workers;
  readonly #preparations = new Preparations();
  readonly #lifecycle = new Lifecycle();
  readonly #statuses = new Map<number, unknown>();
  readonly #closing = new AbortController();

  constructor(options: ClusterOptions = {}) {
    const checked = checkClusterOptions(options);
    const requests = {
      addProcs: (target: unknown, options: object) =>
        this.addProcs(target as AddProcsTarget, options as AddProcsOptions),
      rmProcs: (ids: readonly number[], bounds: RemoveBounds) => this.#workers.remove(ids, bounds),
      everywhere: (
        fn: FunctionText,
        args: readonly unknown[],
        ids: readonly number[] | undefined,
        bounds: CallBounds,
      ) => this.#everywhere(fn, args, ids, bounds),
      interruptProcs: (ids: readonly number[]) => this.#workers.interrupt(ids),
      procsBeside: (id: number) => procsBeside(this.#member, id),
      setStatus: async (id: number, status: unknown) => {
        // What comes from one that is gone is kept for nobody.
        if (id === 1 || this.#workers.site(id)) this.#statuses.set(id, status);
      },
      getStatus: async (id: number) => {
        if (!this.#workers.site(id)) this.#member.check(id);
        return this.#statuses.get(id);
      },
    };
    const service = new OwnerPerformer(
      {
        ...requests,
        addProcs: async (target, options) => this.addProcs(target as AddProcsTarget, options),
        reach: (from, to) => this.#workers.reach(from, to),
        load: (into, fn) => this.#workers.load(into, fn),
      },
      () => this,
    );
    const member = new Member({ cluster: randomUUID(), id: 1, ids: [] }, service, {
      way: (id) => this.#workers.service(id) as unknown as Remote<MemberService>,
    });
    super(member, requests);
    this.name = checked.name ?? `cluster/${++clusters}`;
    this.#member = member;
    this.#options = checked;
    this.supervisor = new Supervisor({ name: this.name });
    this.#workers = new Workers({
      member,
      service,
      key: randomBytes(32),
      options: checked,
      supervisor: this.supervisor,
      preparations: this.#preparations,
      starting: (id) => this.#lifecycle.tell('starting', id),
      joined: (id) => this.#lifecycle.tell('join', id),
      leaving: (id, timeout = CALLBACK_WITHIN) => this.#lifecycle.announce('leaving', { timeout }, id),
      left: (id, reason) => {
        const status = this.#statuses.get(id);
        this.#statuses.delete(id);
        void this.#lifecycle.announce('leave', {}, id, reason, status);
      },
    });
  }

  /**
   * Adds workers: so many on this host, one for each of its cores with 'auto', on machines (`'[user@]host[:port]'`, or
   * `[machine, count]`), or what a manager launches. They start side by side; awaited it gives their ids, iterated each as
   * it comes. Rejects with AddProcsError, which has all failures; those that came stay. Throws OptionError.
   */
  override addProcs(target: AddProcsTarget = 'auto', options: AddProcsOptions = {}): AddedProcs {
    this.#agree(options);
    const { manager, defaults } = managerOf(target, options);
    return new AddedProcs(async (came) => {
      const failures: unknown[] = [];
      // A manager may launch for as long as the cluster lives.
      const adding = new Set<Promise<void>>();
      try {
        for await (const config of manager.launch({ defaults, signal: this.#closing.signal })) {
          const each: Promise<void> = this.#workers
            .add(manager, config, defaults)
            .then(came, (error: unknown) => {
              failures.push(error);
            })
            .finally(() => adding.delete(each));
          adding.add(each);
        }
      } catch (error) {
        failures.push(error);
      }
      await Promise.all(adding);
      return failures;
    });
  }

  /**
   * A pool that adds workers to this cluster while they are wanted, up to `max`, removes those that are idle, and
   * replaces those that die; `workers` says how they are added. `await using` removes them. Throws OptionError.
   */
  elasticPool(options: ElasticPoolOptions, workers: AddProcsOptions = {}): ElasticPool {
    return new ElasticPool(
      this.#member,
      { add: (count) => this.addProcs(count, workers), remove: (ids) => this.rmProcs(ids) },
      options,
    );
  }

  /** As in Julia, all workers of a cluster have the same topology. */
  #agree({ topology, lazy }: AddProcsOptions): void {
    for (const [option, wish] of [
      ['topology', topology],
      ['lazy', lazy],
    ] as const) {
      if (wish === undefined || wish === this.#options[option]) continue;
      if (this.nprocs > 1) {
        throw new OptionError(
          option,
          `The workers of ${this.name} have ${option} ${this.#options[option]}, and those that are added must have the same; make another cluster for ${wish}.`,
        );
      }
      Object.assign(this.#options, { [option]: wish });
    }
  }

  /** The site of a worker, for what the cluster has no word for; `undefined` if there is none of that id. */
  site(id: number): RemoteManager | undefined {
    return this.#workers.site(id);
  }

  /**
   * How many connections to other workers each has made, by its id; each connection is counted by the one that made it,
   * and serves both. Threads, and who is reached through process 1, have none.
   */
  connections(): Promise<ReadonlyMap<number, number>> {
    return connectionsOf(this.#workers.services);
  }

  /** The cluster's sites, as `tree()` shows them. Never rejects. */
  tree(options?: { timeout?: number }): Promise<TreeNode> {
    return this.supervisor.tree(options);
  }

  /** Removes all workers, and ends what waits; resolves when they are gone. Can be called again; never rejects. */
  async close({ timeout }: { timeout?: number } = {}): Promise<void> {
    this.#closing.abort();
    this.#member.close();
    await this.#workers.close(timeout);
    await this.supervisor.close(timeout === undefined ? {} : { timeout });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Calls `listener` when a worker comes or goes; see ClusterEvents. */
  on<E extends keyof ClusterEvents>(event: E, listener: ClusterListener<E>): this {
    this.#lifecycle.on(event, listener);
    return this;
  }

  /** Takes a listener back. */
  off<E extends keyof ClusterEvents>(event: E, listener: ClusterListener<E>): this {
    this.#lifecycle.off(event, listener);
    return this;
  }

  async #everywhere(
    fn: FunctionText,
    args: readonly unknown[],
    ids: readonly number[] | undefined,
    { timeout }: CallBounds,
  ): Promise<ReadonlyMap<number, unknown>> {
    for (const id of ids ?? []) this.#member.check(id);
    // From here on, who joins runs it too; nothing may wait before those that are there are known.
    const takeBack = ids ? undefined : this.#preparations.add(fn, args);
    const errors: ErrorOf[] = [];
    const results = new Map<number, unknown>();
    await Promise.all(
      (ids ?? this.procs).map(async (id) => {
        try {
          const outcome = (await this.#member.ask(id, timeout === undefined ? {} : { timeout }, (peer) =>
            peer.prepare(plain(fn), args),
          )) as Outcome;
          if ('error' in outcome) throw new RemoteException(id, outcome.error);
          results.set(id, outcome.value);
        } catch (error) {
          // One that had gone before will not miss it; one that has died of it is a failure.
          const missed = error instanceof ProcessExitedException && !error.mayHaveRun;
          if (ids || !missed) errors.push(withId(error, id));
        }
      }),
    );
    if (errors.length === 0) return new Map([...results].sort(([a], [b]) => a - b));
    takeBack?.();
    errors.sort((a, b) => a.id - b.id);
    const where = errors.map(({ id }) => id).join(', ');
    throw new AggregateError(
      errors,
      `What was to run everywhere failed on ${errors.length} of ${(ids ?? this.procs).length} processes (${where}): ${errors[0]!.message}`,
    );
  }
}

/** Each error of an AggregateError says which process it is of. */
type ErrorOf = Error & { id: number };

const withId = (error: unknown, id: number): ErrorOf =>
  Object.assign(error instanceof Error ? error : new Error(String(error)), { id });

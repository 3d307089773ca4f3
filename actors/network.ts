import { availableParallelism, hostname } from 'node:os';
import type { Member } from '../lib/cluster/member.ts';
import { messagesOf } from '../lib/cluster/messages/messages.ts';
import type { Layout, NodeDescription, Surroundings } from '../lib/cluster/messages/protocol.ts';
import { OptionError } from '../lib/wire/errors.ts';
import type { WorkerConfig } from './cluster/manager.ts';
import { memberOfView } from './cluster/view.ts';
import { Cluster } from './cluster.ts';
import { enterNetwork } from './network/current-network.ts';
import { HostsManager, type NetworkHost, type PlannedNode, plan } from './network/hosts.ts';
import {
  type CheckedNetworkOptions,
  checkNetworkOptions,
  type LocalJobs,
  type NetworkOptions,
} from './network/options.ts';
import { NetworkView, type NodesChoice } from './network/view.ts';
import type { RemoteManagerOptions } from './remote-manager.ts';

/** How a host's processes are started: what is said of it goes before what is said of all. */
const complete = (
  { name, config }: PlannedNode,
  { site: common, credentials }: CheckedNetworkOptions,
): PlannedNode => {
  const site: RemoteManagerOptions = { ...common, ...config.site };
  const dialled = site.fork === 'daemon' && credentials !== undefined && { credentials };
  return { name, config: { ...config, site: { ...dialled, ...site } } };
};

/**
 * A network of nodes that send each other values, run commands, and work on arrays, after Octave's parallel package: this
 * process is node 1, and the hosts' nodes count from 2 in the order given. `await using` closes it.
 */
export class Network extends NetworkView implements AsyncDisposable {
  /** What it is built on: its processes have the nodes' numbers, and local jobs those behind them. */
  readonly cluster: Cluster;
  readonly #member: Member;
  readonly #plan: readonly PlannedNode[];
  #adding: Promise<unknown> = Promise.resolve();

  private constructor(cluster: Cluster, planned: readonly PlannedNode[]) {
    const member = memberOfView(cluster);
    super(member);
    this.cluster = cluster;
    this.#member = member;
    this.#plan = planned;
    enterNetwork(cluster, this);
  }

  /**
   * Starts a node on each host, side by side, and makes all known to each other. Rejects with AddProcsError, which has the
   * failure of each host, and then nothing is left of the others; OptionError; or the signal's reason.
   */
  static async connect(hosts: readonly NetworkHost[], options: NetworkOptions = {}): Promise<Network> {
    const checked = checkNetworkOptions(options);
    const { name, output, signal } = checked;
    const planned = plan(hosts).map((node) => complete(node, checked));
    signal?.throwIfAborted();
    const cluster = new Cluster({ ...(name !== undefined && { name }), ...(output && { output }) });
    const network = new Network(cluster, planned);
    const giveUp = () => void cluster.close();
    signal?.addEventListener('abort', giveUp);
    try {
      await network.#open(checked);
      return network;
    } catch (error) {
      await cluster.close();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Says how many processes of these nodes' hosts do elements of arrays, and starts or ends them: Octave's
   * `network_set (…, "nlocaljobs", n)`. Rejects with AddProcsError; those that came stay. @default of all nodes
   */
  async setLocalJobs(count: LocalJobs, nodes?: NodesChoice): Promise<void> {
    const { nlocaljobs } = checkNetworkOptions({ nlocaljobs: count });
    const ids =
      nodes === undefined
        ? undefined
        : [nodes].flat().map((each) => (typeof each === 'number' ? each : each.id));
    if (ids?.includes(1))
      throw new OptionError(
        'nodes',
        'The client has no local jobs; take a node of this host, which may have as many as you like.',
      );
    // One after the other, or two would start too many.
    const set = this.#adding.then(() => this.#setLocalJobs(nlocaljobs, ids));
    this.#adding = set.catch(() => {});
    await set;
  }

  /**
   * Ends all nodes and resolves when they are gone. Warns of commands that have failed and of which nobody was told. Can be
   * called again; never rejects.
   */
  async close(): Promise<void> {
    if (!this.#member.closed) {
      for (const error of this.#member.messages.forgotten) process.emitWarning(error);
    }
    await this.cluster.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open({ mailbox, nlocaljobs }: CheckedNetworkOptions): Promise<void> {
    const ids = await this.cluster.addProcs(new HostsManager(this.#plan.map(({ config }) => config)));
    const nodes = await Promise.all(
      ids.map(async (id, at): Promise<NodeDescription> => {
        const told = await this.#member.ask(
          id,
          {},
          (peer) => messagesOf(peer).describe() as Promise<Surroundings>,
        );
        return { ...told, id, name: this.#plan[at]!.name, localJobs: [] };
      }),
    );
    const client = {
      id: 1,
      name: 'client',
      hostname: hostname(),
      nproc: availableParallelism(),
      localJobs: [],
    };
    await this.#tell({ nodes: [client, ...nodes], mailbox });
    if (nlocaljobs !== 1) await this.setLocalJobs(nlocaljobs);
  }

  /** Tells all processes how the network is; who dies meanwhile need not know it. */
  async #tell(layout: Layout): Promise<void> {
    const all = layout.nodes.flatMap(({ id, localJobs }) => [id, ...localJobs]);
    await Promise.all(
      all
        .filter((id) => this.#member.has(id))
        .map((id) =>
          this.#member
            .ask(id, {}, (peer) => messagesOf(peer).open(layout))
            .catch((error: unknown) => {
              if (this.#member.has(id)) throw error;
            }),
        ),
    );
  }

  async #setLocalJobs(count: LocalJobs, ids: readonly number[] | undefined): Promise<void> {
    const { layout } = this.#member.messages;
    const failures: unknown[] = [];
    const nodes = await Promise.all(
      layout.nodes.map(async (node): Promise<NodeDescription> => {
        if (node.id === 1 || (ids && !ids.includes(node.id)) || !this.isOpen(node.id)) return node;
        const { config } = this.#plan[node.id - 2]!;
        const jobs = node.localJobs.filter((id) => this.#member.has(id));
        const more = (count === 'auto' || count === 0 ? node.nproc : count) - 1 - jobs.length;
        if (more < 0) await this.cluster.rmProcs(jobs.splice(more));
        if (more <= 0) return { ...node, localJobs: jobs };
        const added = this.#startJobs(config, more);
        try {
          for await (const id of added) {
            jobs.push(id);
            await this.#member.ask(id, {}, (peer) => messagesOf(peer).adopt(node.id));
          }
        } catch (error) {
          failures.push(error);
        }
        return { ...node, localJobs: jobs };
      }),
    );
    await this.#tell({ ...layout, nodes });
    if (failures.length > 0) throw failures[0];
  }

  #startJobs(config: WorkerConfig, count: number) {
    return this.cluster.addProcs(new HostsManager(Array.from({ length: count }, () => ({ ...config }))));
  }
}

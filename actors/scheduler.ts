import { hostname } from 'node:os';
import { DAEMON_PORT } from '../lib/access/dial.ts';
import { type Listener, openListener } from '../lib/access/listener.ts';
import { pathOf } from '../lib/access/program.ts';
import type { Visitor } from '../lib/access/visitor.ts';
import type { Address } from '../lib/cluster/direct/address.ts';
import type { NodeState } from '../lib/fork/daemon/node-state.ts';
import type { ClosableSocket } from '../lib/wire/link/websocket.ts';
import { checkSchedulerOptions } from './scheduler/check.ts';
import { Clients } from './scheduler/clients.ts';
import { followDaemon, JoinedNodes, type NodeLine, type ScheduledNode } from './scheduler/nodes.ts';
import type { SchedulerOptions } from './scheduler/options.ts';
import { SiteVisit } from './scheduler/site-visit.ts';
import { Slots } from './scheduler/slots.ts';

export type { SharePolicy } from './scheduler/allocate.ts';
export type { SchedulerOptions } from './scheduler/options.ts';

/** The port of a scheduler if nobody says another one. */
export const SCHEDULER_PORT = DAEMON_PORT + 100;

/** What a scheduler tells of itself. */
export interface SchedulerStatus {
  readonly name: string;
  readonly pid: number;
  readonly addresses: readonly Address[];
  readonly since: number;
  readonly policy: string;
  readonly nodes: readonly (NodeState & { readonly by: 'dialled' | 'joined'; readonly at: string })[];
  readonly clients: readonly {
    readonly user: string;
    readonly from: string;
    readonly since: number;
    readonly wants: number;
    readonly holds: Readonly<Record<string, number>>;
  }[];
}

/**
 * Shares the slots of nodes out among many clients (dispy's dispyscheduler): each client sees the nodes as if they were
 * daemons, with its share of each, and its sites are reached through here. Only bytes are handed on: neither code nor
 * arguments are looked at. It keeps the process alive until it is stopped.
 */
export class Scheduler implements AsyncDisposable {
  readonly name: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  readonly #options: ReturnType<typeof checkSchedulerOptions>;
  readonly #since = Date.now();
  readonly #clients = new Clients();
  readonly #slots: Slots;
  readonly #visits = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #log: (line: string) => void;
  #listener!: Listener;
  #joined!: JoinedNodes;
  #end!: () => void;

  private constructor(options: ReturnType<typeof checkSchedulerOptions>, log: (line: string) => void) {
    this.#options = options;
    this.#log = log;
    this.#slots = new Slots({ ...options, clients: this.#clients });
    this.name = options.name ?? hostname();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Begins to serve; `log` gets a line for each node that comes or goes. Rejects with OptionError, or with DoorError if it
   * can't listen.
   */
  static async open(
    options: SchedulerOptions = {},
    log: (line: string) => void = () => {},
  ): Promise<Scheduler> {
    const checked = checkSchedulerOptions(options);
    const scheduler = new Scheduler(checked, log);
    await scheduler.#open();
    return scheduler;
  }

  /** Where it listens. */
  get addresses(): readonly Address[] {
    return this.#listener.addresses;
  }

  /** Its nodes and clients now. */
  status(): SchedulerStatus {
    const nodes = this.#slots.nodes.map(({ state, by, at }) => ({ ...state, by, at }));
    const clients = [...this.#clients].map((client) => {
      const { user, from, since, holds } = client;
      return { user, from, since, wants: this.#slots.claim(client).wants, holds: Object.fromEntries(holds) };
    });
    const { name, addresses } = this;
    const { policy } = this.#options;
    return { name, pid: process.pid, addresses, since: this.#since, policy, nodes, clients };
  }

  /** Takes nobody any more and waits until all sites have ended; `now` ends them. Never rejects. */
  async stop({ now = false }: { readonly now?: boolean } = {}): Promise<void> {
    await this.#listener.close();
    this.#slots.close();
    if (!now) await Promise.all(this.#visits);
    this.#stop.abort();
    for (const client of this.#clients) client.dismiss();
    this.#joined.close();
    await Promise.all(this.#visits);
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ now: true });
  }

  async #open(): Promise<void> {
    const { host, port, access, nodes, nodeCredentials } = this.#options;
    const events = {
      onNode: (node: ScheduledNode) => this.#slots.set(node),
      onGone: (name: string, line: NodeLine) => this.#slots.delete(name, line),
      log: this.#log,
    };
    this.#joined = new JoinedNodes(events);
    this.#listener = await openListener({
      at: host.map((address) => ({ host: address, port })),
      access,
      onVisitor: (visitor) => this.#welcome(visitor),
    });
    for (const node of nodes) void followDaemon(node, nodeCredentials, events, this.#stop.signal);
  }

  #welcome(visitor: Visitor): void {
    switch (pathOf(visitor)) {
      case '/site': {
        const visit = this.#serve(visitor);
        this.#visits.add(visit);
        void visit.then(() => this.#visits.delete(visit));
        return;
      }
      case '/node': {
        const client = this.#clients.of(visitor);
        client.follow(visitor, this.#options.zombieInterval, () => {
          this.#clients.release(client);
          this.#slots.settle();
        });
        this.#slots.introduce(client);
        return;
      }
      case '/join':
        return this.#joined.join(visitor);
      case '/joined':
        return this.#joined.arrive(visitor);
      case '/admin':
        return this.#answer(visitor.socket);
      default:
        visitor.socket.terminate();
    }
  }

  #answer(socket: ClosableSocket): void {
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const ask = (data as Buffer).toString('utf8');
      const said =
        ask === '{"ask":"status"}'
          ? { answer: this.status() }
          : { error: { message: 'There is no such question.' } };
      socket.send(Buffer.from(JSON.stringify(said)), { binary: false }, () => {});
    });
    socket.resume();
  }

  async #serve(visitor: Visitor): Promise<void> {
    const { msgTimeout, zombieInterval } = this.#options;
    const visit = new SiteVisit(visitor, msgTimeout);
    const start = await visit.start;
    if (!start) return;
    const client = this.#clients.of(visitor);
    const node = await this.#slots.take(client, start, visit.gone);
    if (!node) {
      if (!visit.gone.aborted) visit.refuse(this.#slots.why(start));
      this.#clients.release(client);
      return;
    }
    const { name } = node.state;
    try {
      const socket = await node.open(visit.gone);
      const end = () => socket.terminate();
      this.#stop.signal.addEventListener('abort', end, { once: true });
      if (this.#stop.signal.aborted) end();
      await visit.through(socket, start, zombieInterval);
      this.#stop.signal.removeEventListener('abort', end);
    } catch (cause) {
      const what = `the node ${name} could not be reached (${(cause as Error).message}).`;
      visit.refuse({ why: 'failed', what, remedy: 'Try again, or choose another node.' });
    } finally {
      this.#slots.give(client, name);
      this.#clients.release(client);
    }
  }
}

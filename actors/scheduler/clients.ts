import { clientOf } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import { readDemand } from '../../lib/fork/daemon/node-feed.ts';
import type { Demand, NodeState } from '../../lib/fork/daemon/node-state.ts';
import { watchClient } from '../../lib/fork/daemon/watch-client.ts';
import type { ClosableSocket } from '../../lib/wire/link/websocket.ts';
import type { Claimant } from './allocate.ts';

/** A client that acknowledges nothing for so long is cut off, in milliseconds. */
const CUT_OFF_FOR = 60_000;
/** How much of what a client is told may wait for it, in bytes. */
const MOST_WAITING = 1024 * 1024;

/** Somebody who has sites, wants some, or watches: a program of a user. */
export class Client {
  readonly id: string;
  readonly user: string;
  readonly from: string;
  readonly since = Date.now();
  /** How many sites it has, by the node's name. */
  readonly holds = new Map<string, number>();
  /** How many it has asked for that it has not got. */
  pending = 0;
  readonly #feeds = new Map<ClosableSocket, Demand | undefined>();
  #waitsSince = 0;

  constructor({ user, from }: Visitor, id: string) {
    this.id = id;
    this.user = user;
    this.from = from;
  }

  /** How many sites it has. */
  get held(): number {
    return [...this.holds.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether nothing of it is left. */
  get gone(): boolean {
    return this.held === 0 && this.pending === 0 && this.#feeds.size === 0;
  }

  /** A site of it is on a node, or is no more. */
  hold(name: string, count: 1 | -1): void {
    const now = (this.holds.get(name) ?? 0) + count;
    if (now > 0) this.holds.set(name, now);
    else this.holds.delete(name);
  }

  /** What it claims; `weight` is that of its user. */
  claim(weight: number): Claimant {
    const demands = [...this.#feeds.values()].filter((demand) => demand !== undefined);
    const wants = Math.max(
      this.held + this.pending,
      demands.reduce((sum, demand) => sum + demand.wants, 0),
    );
    if (wants <= this.held) this.#waitsSince = 0;
    else this.#waitsSince ||= Date.now();
    const waits = demands.filter((demand) => demand.wants > 0);
    return {
      id: this.id,
      wants,
      weight,
      priority: Math.max(...waits.map(({ priority = 0 }) => priority), waits.length === 0 ? 0 : -Infinity),
      since: Math.min(this.#waitsSince || this.since, ...waits.flatMap(({ since }) => since ?? [])),
      holds: this.holds,
    };
  }

  /**
   * Listens to what it wants over `/node`, and tells it of nodes from now on. If it gives no sign of life for `lease` ms, or
   * is cut off, it has gone: what it wanted must not be kept from others.
   */
  follow({ socket, ends }: Visitor, lease: number, changed: () => void): void {
    this.#feeds.set(socket, undefined);
    let heardAt = performance.now();
    const heard = () => {
      heardAt = performance.now();
    };
    const watched = {
      get heardAt() {
        return heardAt;
      },
      ping: () => socket.ping(),
      drop: () => socket.terminate(),
    };
    const watch = watchClient(watched, ends, { lease, endAfter: CUT_OFF_FOR });
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('error', () => {});
    socket.on('message', (data) => {
      heard();
      const demand = readDemand(data as Buffer);
      if (!demand) return socket.terminate();
      this.#feeds.set(socket, demand);
      changed();
    });
    socket.on('close', () => {
      clearInterval(watch);
      this.#feeds.delete(socket);
      changed();
    });
    socket.resume();
  }

  /** Tells it of a node, or that one has left. */
  tell(news: { readonly node: NodeState } | { readonly gone: string }): void {
    const text = Buffer.from(JSON.stringify(news));
    for (const socket of this.#feeds.keys()) {
      // Who does not take what he is told can come again and be told all anew.
      if (socket.bufferedAmount > MOST_WAITING) socket.terminate();
      else socket.send(text, { binary: false }, () => {});
    }
  }

  /** Sends it away. */
  dismiss(): void {
    for (const socket of this.#feeds.keys()) socket.terminate();
  }
}

/** All clients that have anything here. */
export class Clients {
  readonly #clients = new Map<string, Client>();

  /** The client whose connection this is. */
  of(visitor: Visitor): Client {
    const id = clientOf(visitor);
    let client = this.#clients.get(id);
    if (!client) {
      client = new Client(visitor, id);
      this.#clients.set(id, client);
    }
    return client;
  }

  /** Forgets it if nothing of it is left. */
  release(client: Client): void {
    if (client.gone) this.#clients.delete(client.id);
  }

  [Symbol.iterator](): IterableIterator<Client> {
    return this.#clients.values();
  }
}

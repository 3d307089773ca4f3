import { clientOf } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import type { ClientLine } from './status.ts';

/** A site that runs. */
export interface RunningSite {
  readonly name: string;
  readonly pid: number;
  /** In milliseconds since 1970. */
  readonly since: number;
}

/** A user with all of his program's connections. */
export class Client {
  readonly user: string;
  readonly from: string;
  readonly since: number;
  readonly sites = new Set<RunningSite>();
  /** How many sites it has had. */
  had = 0;
  connections = 0;

  constructor(user: string, from: string, since: number) {
    this.user = user;
    this.from = from;
    this.since = since;
  }

  line(): ClientLine {
    const { user, from, since } = this;
    return { user, from, since, sites: [...this.sites] };
  }
}

/** What is told of clients. */
export interface ClientsListener {
  onCome(client: Client): void;
  onGone(client: Client): void;
}

/** Who uses a daemon now. */
export class Clients {
  readonly #clients = new Map<string, Client>();
  readonly #listener: ClientsListener;

  constructor(listener: ClientsListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#clients.size;
  }

  lines(): ClientLine[] {
    return [...this.#clients.values()].map((client) => client.line());
  }

  /** One more connection, made at a time in milliseconds since 1970; `leave` takes it away again. */
  enter(visitor: Visitor, now: number): { client: Client; leave: () => void } {
    const key = clientOf(visitor);
    let client = this.#clients.get(key);
    if (!client) {
      client = new Client(visitor.user, visitor.from, now);
      this.#clients.set(key, client);
      this.#listener.onCome(client);
    }
    const entered = client;
    entered.connections++;
    return {
      client: entered,
      leave: () => {
        if (--entered.connections > 0) return;
        this.#clients.delete(key);
        this.#listener.onGone(entered);
      },
    };
  }
}

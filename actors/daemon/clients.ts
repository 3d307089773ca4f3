import { askedBy } from '../../lib/access/program.ts';
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

const hostOf = (from: string): string => from.slice(0, from.lastIndexOf(':'));

/** Who uses a daemon now. */
export class Clients {
  readonly #clients = new Map<string, Client>();
  readonly #onCome: (client: Client) => void;
  readonly #onGone: (client: Client) => void;

  constructor(onCome: (client: Client) => void, onGone: (client: Client) => void) {
    this.#onCome = onCome;
    this.#onGone = onGone;
  }

  get size(): number {
    return this.#clients.size;
  }

  lines(): ClientLine[] {
    return [...this.#clients.values()].map((client) => client.line());
  }

  /** One more connection; `leave` takes it away again. */
  enter({ user, from, path }: Visitor, now: number): { client: Client; leave: () => void } {
    // A program that does not say which one it is goes with all of its user's from there.
    const key = JSON.stringify([user, askedBy(path).program ?? { host: hostOf(from) }]);
    let client = this.#clients.get(key);
    if (!client) {
      client = new Client(user, from, now);
      this.#clients.set(key, client);
      this.#onCome(client);
    }
    const entered = client;
    entered.connections++;
    return {
      client: entered,
      leave: () => {
        if (--entered.connections > 0) return;
        this.#clients.delete(key);
        this.#onGone(entered);
      },
    };
  }
}

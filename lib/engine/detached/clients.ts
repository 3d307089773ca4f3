import { AsyncLocalStorage } from 'node:async_hooks';
import type { Described, Wish } from '../../module/source/service.ts';
import type { Session } from '../../wire/session.ts';
import type { Parent } from '../loader/loader.ts';

/** One manager that is attached to a detached site. */
export interface Client {
  readonly session: Session;
  /** Whether its files lie here in the same places. */
  readonly sameDisk: boolean;
}

/** How long `require` may wait for a client's disk, in milliseconds; nothing else happens here meanwhile. */
const ASK_SYNC_FOR = 30_000;

type Asked = object & Record<string, (...args: unknown[]) => Promise<unknown>>;
interface Answer {
  readonly modules?: readonly Described[];
  readonly entry?: string;
}

/**
 * Those who are attached, as the one parent that a loader knows: who links a module is asked for it, and whoever gave a
 * module is asked for what that imports later. When he has gone, another one may have it; if nobody is there, Node.js
 * looks on this disk.
 */
export class Clients implements Parent {
  readonly #current = new AsyncLocalStorage<Client>();
  readonly #all = new Set<Client>();
  /** Who described a module, by its URL and by its hash. */
  readonly #from = new Map<string, Client>();

  /** A client has come. */
  add(client: Client): void {
    this.#all.add(client);
  }

  /** A client has gone, and what it gave is nobody's. */
  remove(client: Client): void {
    this.#all.delete(client);
    for (const [key, from] of this.#from) if (from === client) this.#from.delete(key);
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#all[Symbol.iterator]();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Does something on behalf of a client. */
  as<T>(client: Client, work: () => T): T {
    return this.#current.run(client, work);
  }

  /** Whether the files of who is being served lie here. */
  readonly sameDisk = (): boolean => {
    const client = this.#asking();
    return client ? client.sameDisk : true;
  };

  async ask(method: string, args: unknown[]): Promise<unknown> {
    const client = this.#whom(method, args);
    if (!client) return this.#nobody(method);
    const answer = await (client.session.main as Asked)[method]!(...this.#wished(client, args));
    return this.#noted(client, answer);
  }

  askSync(method: string, args: unknown[]): unknown {
    const client = this.#whom(method, args);
    if (!client) return this.#nobody(method);
    return this.#noted(client, client.session.callSync([method], this.#wished(client, args), ASK_SYNC_FOR));
  }

  #asking(): Client | undefined {
    const current = this.#current.getStore();
    if (current && this.#all.has(current)) return current;
    return [...this.#all].at(-1);
  }

  #whom(method: string, args: unknown[]): Client | undefined {
    const key = method === 'sources' ? (args[0] as string[])[0] : method === 'resolve' ? args[1] : undefined;
    return this.#from.get(key as string) ?? this.#asking();
  }

  #nobody(method: string): undefined {
    if (method !== 'sources') return undefined;
    throw new Error('Nobody who has the sources of these modules is attached to this site any more.');
  }

  /** Each client counts its own answers, so all are asked as if for the first time. */
  #wished(client: Client, args: unknown[]): unknown[] {
    return args.map((arg) =>
      typeof arg === 'object' && arg !== null && 'installed' in arg
        ? ({ installed: 0, sameDisk: client.sameDisk } satisfies Wish)
        : arg,
    );
  }

  #noted(client: Client, answer: unknown): unknown {
    const { modules } = (answer ?? {}) as Answer;
    if (!modules) return answer;
    for (const { url, hash } of modules) {
      this.#from.set(url, client);
      this.#from.set(hash, client);
    }
    if (client.sameDisk) return answer;
    // What lies here under the same name is not what this client has.
    return { ...(answer as Answer), modules: modules.map((each) => ({ ...each, made: true })) };
  }
}

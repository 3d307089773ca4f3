import type { Demand, NodeState } from '../../lib/fork/daemon/node-state.ts';
import type { JobServerClosedError } from '../../lib/jobs/errors.ts';
import type { JobNode } from './node.ts';
import { FollowedServer, type FollowHost } from './nodes/daemon-node.ts';
import type { NodeSource } from './nodes/node-source.ts';
import type { CheckedJobServerOptions, CheckedServer, SoughtServers } from './options.ts';

/** Whose servers they are. */
export interface ServersHost {
  readonly options: Pick<CheckedJobServerOptions, 'credentials' | 'sought'>;
  readonly nodes: ReadonlyMap<string, JobNode>;
  /** Why nothing is taken any more, if it is not. */
  readonly closed: JobServerClosedError | undefined;
  addNode(name: string, server: CheckedServer, how?: { readonly status: 'starting' }): JobNode;
  dropNode(node: JobNode): Promise<void>;
  demand(): Demand;
  /** Something has changed for jobs that wait. */
  pump(): void;
}

/** What a user has listed: servers, of which each becomes a node or is asked for its nodes, and where others are looked for. */
export class Servers {
  /** Those that have no node, and why. */
  readonly troubles = new Map<string, string>();
  readonly #host: ServersHost;
  readonly #followed = new Set<FollowedServer>();
  readonly #sources = new Set<NodeSource>();

  constructor(host: ServersHost) {
    this.#host = host;
  }

  /** Adds a server; returns the name of its node, if that is known already. */
  add(server: CheckedServer): string | undefined {
    if (server.fork !== 'daemon') return this.#host.addNode(server.text, server).name;
    this.#followed.add(new FollowedServer(server, this.#followHost));
    return undefined;
  }

  /** Begins to look for daemons where the user said. Rejects with OptionError. */
  async search(): Promise<void> {
    await Promise.all(this.#host.options.sought.map((sought) => this.#searchFor(sought)));
  }

  /** What could be used has changed; those who share slots out want to know. */
  demandChanged(): void {
    for (const each of this.#followed) each.demandChanged();
  }

  /** Gives up what is behind a server. Never rejects. */
  async drop(text: string): Promise<void> {
    for (const each of this.#followed) {
      if (each.server.text !== text) continue;
      each.close();
      this.#followed.delete(each);
    }
    this.troubles.delete(text);
    const own = [...this.#host.nodes.values()].filter(({ server }) => server.text === text);
    await Promise.all(own.map((node) => this.#host.dropNode(node)));
  }

  /** Follows and looks for nobody any more. Never rejects. */
  async close(): Promise<void> {
    for (const each of this.#followed) each.close();
    await Promise.all([...this.#sources].map((source) => source.close()));
  }

  async #searchFor({ words, like }: SoughtServers): Promise<void> {
    const where = words.join(', ');
    this.troubles.set(where, 'nothing was found yet');
    // Loaded late: most job servers are told where their nodes are.
    const { findServers } = await import('./nodes/found-nodes.ts');
    const credentials = { ...this.#host.options.credentials, ...like.site?.credentials };
    const source = await findServers(words, credentials, {
      up: ({ host }) => {
        this.troubles.delete(where);
        const isKnown = [...this.#followed].some(({ server }) => server.text === host);
        if (!isKnown && !this.#host.closed) this.add({ ...like, host, text: host });
      },
      down: ({ host }) => void this.drop(host),
      trouble: (why) => {
        if (this.troubles.has(where)) this.troubles.set(where, `nothing was found yet; the last try: ${why}`);
      },
    });
    this.#sources.add(source);
    if (this.#host.closed) await source.close();
  }

  get #followHost(): FollowHost {
    const host = this.#host;
    return {
      credentials: host.options.credentials,
      found: (server, state: NodeState) =>
        host.addNode(server.name ?? state.name, server, { status: 'starting' }),
      trouble: ({ text }, why) => {
        if (why === undefined) this.troubles.delete(text);
        else this.troubles.set(text, why);
        host.pump();
      },
      gone: (node) => void host.dropNode(node),
      demand: () => host.demand(),
    };
  }
}

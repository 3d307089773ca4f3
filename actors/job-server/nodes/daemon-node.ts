import type { Credentials } from '../../../lib/access/credentials.ts';
import { daemonAt } from '../../../lib/fork/daemon/daemon.ts';
import { followNodes, type NodeFeed, type NodeNews } from '../../../lib/fork/daemon/node-feed.ts';
import type { Demand, NodeState } from '../../../lib/fork/daemon/node-state.ts';
import { textOf } from '../../../lib/wire/codec/remote-error.ts';
import type { JobNode } from '../node.ts';
import type { CheckedServer } from '../options.ts';

/** What does not answer is tried again after so many milliseconds, then after twice as long each time. */
const FIRST_DELAY = 500;
const MOST_DELAY = 5_000;
/** How long one try may take, in milliseconds. */
const DIAL_WITHIN = 10_000;
/** What a scheduler is told of is told at most so often, in milliseconds. */
const TELL_EVERY = 20;

/** What is done with the nodes that are found behind an address. */
export interface FollowHost {
  readonly credentials: Credentials | undefined;
  /** A node that was not there before. */
  found(server: CheckedServer, state: NodeState): JobNode;
  /** Why nothing is known of a server; `undefined` if something is. */
  trouble(server: CheckedServer, why: string | undefined): void;
  /** A node has left its scheduler, and will not be back by itself. */
  gone(node: JobNode): void;
  /** How much this job server could use. */
  demand(): Demand;
}

/**
 * Follows a daemon, or the nodes of a scheduler: their slots, whether they serve, and whether they can be reached. It
 * tries again for ever, and never keeps the program alive.
 */
export class FollowedServer {
  readonly server: CheckedServer;
  readonly #host: FollowHost;
  readonly #nodes = new Map<string, JobNode>();
  readonly #over = new AbortController();
  #feed: NodeFeed | undefined;
  #timer: NodeJS.Timeout | undefined;
  #telling: NodeJS.Timeout | undefined;
  #told = -1;
  #delay = FIRST_DELAY;

  constructor(server: CheckedServer, host: FollowHost) {
    this.server = server;
    this.#host = host;
    host.trouble(server, 'it has not answered yet');
    void this.#connect();
  }

  /** What could be used has changed; only who shares slots out wants to know. */
  demandChanged(): void {
    if (!this.#feed || this.#telling || ![...this.#nodes.values()].some(({ isShared }) => isShared)) return;
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      const demand = this.#host.demand();
      if (demand.wants === this.#told) return;
      this.#told = demand.wants;
      this.#feed?.tell(demand);
    }, TELL_EVERY).unref();
  }

  close(): void {
    this.#over.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#telling);
    this.#feed?.close();
  }

  async #connect(): Promise<void> {
    const { server } = this;
    const { credentials: own } = this.#host;
    try {
      const { address, credentials } = daemonAt(server.host!, { ...own, ...server.site?.credentials });
      this.#feed = await followNodes(
        address,
        {
          credentials,
          timeout: DIAL_WITHIN,
          signal: this.#over.signal,
        },
        (news) => this.#heard(news),
      );
      const cause = await this.#feed.closed;
      this.#lost(cause ? cause.message : 'it hung up');
    } catch (cause) {
      this.#lost(cause instanceof Error ? cause.message : textOf(cause));
    }
  }

  #heard(news: NodeNews): void {
    this.#delay = FIRST_DELAY;
    if ('gone' in news) {
      const node = this.#nodes.get(news.gone);
      this.#nodes.delete(news.gone);
      if (node) this.#host.gone(node);
      return;
    }
    const { name } = news.node;
    let node = this.#nodes.get(name);
    if (!node) {
      node = this.#host.found(this.server, news.node);
      this.#nodes.set(name, node);
      this.#host.trouble(this.server, undefined);
    }
    node.told(news.node);
    this.demandChanged();
  }

  #lost(why: string): void {
    this.#feed = undefined;
    this.#told = -1;
    if (this.#over.signal.aborted) return;
    if (this.#nodes.size === 0) this.#host.trouble(this.server, why);
    for (const node of this.#nodes.values()) node.setStatus('lost', `it is out of reach: ${why}`);
    this.#timer = setTimeout(() => void this.#connect(), this.#delay).unref();
    this.#delay = Math.min(MOST_DELAY, this.#delay * 2);
  }
}

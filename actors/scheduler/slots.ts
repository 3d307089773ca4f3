import type { Refusal, StartSite } from '../../lib/fork/daemon/messages.ts';
import { allocate, type Claimant, type SharePolicy, type Shares } from './allocate.ts';
import type { Client, Clients } from './clients.ts';
import type { NodeLine, ScheduledNode } from './nodes.ts';

/** Of more slots of one node nobody is given any: what a node says of itself may not keep the scheduler busy. */
const MOST_SLOTS = 4_096;

/** Somebody who waits for a slot. */
interface Waiting {
  readonly client: Client;
  /** The node that he wants, if he has said one. */
  readonly node: string | undefined;
  grant(node: ScheduledNode | undefined): void;
}

/** How slots are shared out. */
export interface SlotsOptions {
  readonly clients: Clients;
  readonly policy: SharePolicy;
  /** Weights of users; 1 for those who are not named. */
  readonly weights: Readonly<Record<string, number>>;
}

/** The slots of all nodes, who has them, and who waits for one. */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #nodes = new Map<string, ScheduledNode>();
  readonly #waiting = new Set<Waiting>();
  /** What each client was told last of each node, so that only news is sent. */
  readonly #told = new WeakMap<Client, Map<string, string>>();
  #shares: Shares = new Map();
  #settling = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** The nodes that are there. */
  get nodes(): readonly ScheduledNode[] {
    return [...this.#nodes.values()];
  }

  /**
   * A node has come, or does otherwise than before. One that has the name of another is not taken: sites that are meant for
   * that would go there. Says whether it is.
   */
  set(node: ScheduledNode): boolean {
    const { name } = node.state;
    const there = this.#nodes.get(name);
    if (there && there.line.owner !== node.line.owner) return false;
    this.#nodes.set(name, node);
    this.settle();
    return true;
  }

  /** A node has left; nothing happens if it is heard over another line by now. */
  delete(name: string, line: NodeLine): void {
    if (this.#nodes.get(name)?.line !== line) return;
    this.#nodes.delete(name);
    for (const client of this.#options.clients) {
      if (this.#told.get(client)?.delete(name)) client.tell({ gone: name });
    }
    this.settle();
  }

  /** What a client claims. */
  claim(client: Client): Claimant {
    return client.claim(this.#options.weights[client.user] ?? 1);
  }

  /** Tells a client all again, because another part of it listens. */
  introduce(client: Client): void {
    this.#told.delete(client);
    this.settle();
  }

  /** Shares out anew, once for all that happens in this turn. */
  settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    setImmediate(() => {
      this.#settling = false;
      this.#share();
    });
  }

  /**
   * A node with a slot for a site, which the client holds from then on; `undefined` if there is none and he does not wait
   * for one, or has gone.
   */
  take(
    client: Client,
    { node, waits = false }: StartSite,
    gone: AbortSignal,
  ): Promise<ScheduledNode | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = { client, node, grant: resolve };
      client.pending++;
      this.#waiting.add(waiting);
      gone.addEventListener('abort', () => this.#giveUp(waiting), { once: true });
      this.#share();
      if (!waits || gone.aborted) this.#giveUp(waiting);
    });
  }

  /** A site of a client is no more. */
  give(client: Client, name: string): void {
    client.hold(name, -1);
    this.settle();
  }

  /** Nobody is given a slot any more. */
  close(): void {
    for (const waiting of [...this.#waiting]) this.#giveUp(waiting);
    this.#nodes.clear();
  }

  /** Why there is no slot for a site. */
  why({ node }: StartSite): { why: Refusal; what: string; remedy: string } {
    const names = [...this.#nodes.keys()];
    if (node !== undefined && !this.#nodes.has(node)) {
      const others = names.length > 0 ? `, only ${names.join(', ')}` : '';
      const remedy = 'Choose one that is there, or leave the node out.';
      return { why: 'request', what: `there is no node ${node} here${others}.`, remedy };
    }
    const slots = this.nodes.reduce((sum, { state }) => sum + state.cpus, 0);
    const taken = `all ${slots} slots of ${names.length} nodes are taken, or kept for others.`;
    const what = names.length === 0 ? 'no node is there.' : taken;
    return { why: 'busy', what, remedy: 'Try again later, or have a job server wait for a slot.' };
  }

  #giveUp(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) return;
    waiting.client.pending--;
    waiting.grant(undefined);
    this.settle();
  }

  #share(): void {
    const clients = [...this.#options.clients];
    const nodes = this.nodes.map(({ state: { name, state, cpus, free } }) => {
      const held = clients.reduce((sum, { holds }) => sum + (holds.get(name) ?? 0), 0);
      // Others may have sites there that do not come through here.
      return { name, slots: state === 'serving' ? Math.min(cpus, held + free, MOST_SLOTS) : 0 };
    });
    const claims = clients.map((client) => this.claim(client));
    this.#shares = allocate(nodes, claims, this.#options.policy);
    for (const waiting of this.#waiting) this.#grant(waiting);
    for (const client of clients) this.#tell(client);
  }

  /** Gives who waits a slot, if there is one for him. */
  #grant(waiting: Waiting): void {
    const { client, node: wanted } = waiting;
    for (const [name, share] of this.#shares.get(client.id) ?? []) {
      const node = this.#nodes.get(name);
      if (!node || (wanted !== undefined && wanted !== name)) continue;
      if (share <= (client.holds.get(name) ?? 0)) continue;
      this.#waiting.delete(waiting);
      client.pending--;
      client.hold(name, 1);
      waiting.grant(node);
      return;
    }
  }

  #tell(client: Client): void {
    const told = this.#told.get(client) ?? new Map<string, string>();
    this.#told.set(client, told);
    for (const { state } of this.#nodes.values()) {
      const node = { ...state, share: this.#shares.get(client.id)?.get(state.name) ?? 0 };
      const text = JSON.stringify(node);
      if (told.get(state.name) === text) continue;
      told.set(state.name, text);
      client.tell({ node });
    }
  }
}

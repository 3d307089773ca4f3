import { DAEMON_PORT } from '../access/dial.ts';
import type { Address } from '../cluster/direct/address.ts';
import { written } from '../cluster/direct/address.ts';
import type { Announced } from './announced.ts';
import { Browse } from './browse.ts';
import type { Candidate } from './candidate.ts';
import { lookUp } from './hosts.ts';
import { isSame } from './merge.ts';
import type { FoundNode, NodeBasics, Trial } from './node.ts';
import { checkFindOptions, type FindOptions, SEARCH_WITHIN } from './options.ts';
import { Pursuit, RETRY } from './pursuit.ts';
import { addressesOfTarget, srvClasses, systemResolver } from './srv.ts';
import { PORTS_TRIED, readWhere, type Where } from './where.ts';

/** What became of a node. */
export type NodeChange<State extends NodeBasics> =
  | { readonly up: FoundNode<State> }
  | { readonly down: FoundNode<State> };

/** How nodes are watched. */
export interface WatchOptions<State extends NodeBasics> extends FindOptions<State> {
  /** Is told of all that was tried in vain; it is tried again. */
  readonly onTrial?: (trial: Trial) => void;
}

/** An iterator's side of a line of changes: those that wait, and who waits. */
class Line<Change> {
  readonly #changes: Change[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;

  put(change: Change): void {
    this.#changes.push(change);
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, undefined> {
    for (;;) {
      while (this.#changes.length > 0) yield this.#changes.shift()!;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Nodes as they come and go. */
export class NodeWatch<State extends NodeBasics>
  implements AsyncIterable<NodeChange<State>>, AsyncDisposable
{
  readonly #options: WatchOptions<State>;
  readonly #line = new Line<NodeChange<State>>();
  readonly #pursuits = new Map<string, Pursuit<State>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #over = new AbortController();
  #browse: Browse | undefined;
  #closing: Promise<void> | undefined;
  readonly #onAbort = () => void this.close();

  /** `watchNodes` makes them. */
  constructor(options: WatchOptions<State>, words: readonly Where[]) {
    this.#options = options;
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    for (const word of words) this.#begin(word);
    const listening = words.filter(({ kind }) => kind === 'auto' || kind === 'host');
    if (listening.length > 0) void this.#listen(listening);
  }

  /** Each change once, for one who iterates; it ends when the watch is closed, which leaving the loop does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<NodeChange<State>, void, undefined> {
    try {
      yield* this.#line;
    } finally {
      await this.close();
    }
  }

  /** Says that a node that was up can't be reached any more: it is tried until it is up again. */
  lost(node: FoundNode<State>): void {
    for (const pursuit of this.#pursuits.values()) {
      if (pursuit.node && isSame(pursuit.node, node)) pursuit.lost();
    }
  }

  /** Ends it. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#over.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const pursuit of this.#pursuits.values()) pursuit.stop();
    this.#line.end();
    await this.#browse?.close();
  }

  #begin(word: Where): void {
    if (word.kind === 'static') this.#beginAt(word.word, 'static', word.address);
    else if (word.kind === 'srv') void this.#followSrv(word, RETRY.first);
    else if (word.kind === 'host') {
      for (let port = DAEMON_PORT; port < DAEMON_PORT + PORTS_TRIED; port += 1) {
        this.#beginAt(word.word, 'ports', { host: word.host, port });
      }
    }
  }

  #beginAt(where: string, by: Candidate['by'], address: Address): void {
    this.#pursue(written(address), { where, by, addresses: [address] });
  }

  #pursue(key: string, candidate: Candidate): void {
    const known = this.#pursuits.get(key);
    if (known) {
      const before = known.candidate.addresses.length;
      known.candidate = candidate;
      known.isForsaken = false;
      // Being heard once more is no reason to dial sooner: anybody can have it be heard.
      if (candidate.addresses.length > before) known.hasten();
      return;
    }
    if (this.#over.signal.aborted) return;
    const { probe, timeout = SEARCH_WITHIN, onTrial } = this.#options;
    const pursuit: Pursuit<State> = new Pursuit<State>(candidate, {
      probe,
      timeout,
      up: (node) => this.#up(pursuit, node),
      tried: (trials) => {
        for (const trial of trials) onTrial?.(trial);
        if (pursuit.isForsaken) this.#give(key);
      },
    });
    this.#pursuits.set(key, pursuit);
  }

  /** One node that was found in two ways is up once. */
  #up(pursuit: Pursuit<State>, node: FoundNode<State>): void {
    for (const other of this.#pursuits.values()) {
      if (other !== pursuit && other.node && isSame(other.node, node)) return;
    }
    this.#line.put({ up: node });
  }

  /** Looks no more for what is gone; another way to the same node keeps it up. */
  #give(key: string): void {
    const pursuit = this.#pursuits.get(key);
    if (!pursuit) return;
    const { node } = pursuit;
    pursuit.stop();
    this.#pursuits.delete(key);
    if (!node) return;
    for (const other of this.#pursuits.values()) if (other.node && isSame(other.node, node)) return;
    this.#line.put({ down: node });
  }

  async #listen(words: readonly Where[]): Promise<void> {
    const { interfaces, onTrial } = this.#options;
    const isAuto = words.some(({ kind }) => kind === 'auto');
    const { signal } = this.#over;
    const hosts = await Promise.all(
      words
        .filter((word) => word.kind === 'host')
        .map(async ({ word, host }) => ({
          word,
          ...(await lookUp(word, host, signal)),
        })),
    );
    if (signal.aborted) return;
    const wordOf = ({ addresses }: Announced) =>
      isAuto ? 'auto' : hosts.find((host) => addresses.some((one) => host.addresses.includes(one)))?.word;
    const told = new Map<string, Map<string, Address>>();
    const browse = new Browse({
      ...(interfaces && { interfaces }),
      heard: (announced, on) => {
        const where = wordOf(announced);
        if (where === undefined) return;
        // A node tells other addresses on another interface; all are tried.
        const known = told.get(announced.id) ?? new Map<string, Address>();
        told.set(announced.id, known);
        for (const host of announced.addresses) known.set(host, { host, port: announced.port });
        const addresses = [...known.values()].slice(-MOST_TOLD);
        this.#pursue(`mdns ${announced.id}`, { where, by: 'mdns', addresses, interface: on, announced });
      },
      gone: (id) => void this.#gone(id, told),
    });
    this.#browse = browse;
    await browse.open();
    if (!browse.isDeaf || signal.aborted) return;
    for (const { word } of words) for (const trial of browse.trials(word)) onTrial?.(trial);
  }

  /**
   * Anybody can say goodbye in a node's name, and where packets get lost, silence is no proof: so it is asked first. One
   * that still answers is up until who is connected loses it.
   */
  async #gone(id: string, told: Map<string, unknown>): Promise<void> {
    const key = `mdns ${id}`;
    const pursuit = this.#pursuits.get(key);
    if (!pursuit) return;
    pursuit.isForsaken = true;
    const answers = await pursuit.answers();
    // It may have been heard again meanwhile, or stopped.
    if (answers || !pursuit.isForsaken || this.#over.signal.aborted) return;
    told.delete(id);
    this.#give(key);
  }

  async #followSrv(word: Extract<Where, { kind: 'srv' }>, wait: number): Promise<void> {
    const { resolver = systemResolver(), onTrial } = this.#options;
    const prefix = `srv ${word.word} `;
    const start = performance.now();
    let next: number = RETRY.most;
    try {
      const classes = srvClasses(await resolver.resolveSrv(word.name));
      const wanted = new Map<string, Candidate>();
      // Those of a later priority stand by until none of the ones before is up (RFC 2782).
      for (const records of classes) {
        const keys: string[] = [];
        for (const { name, port } of records) {
          const hosts = await addressesOfTarget(name, resolver);
          const addresses = hosts.map((host) => ({ host, port }));
          const key = `${prefix}${written({ host: name, port })}`;
          wanted.set(key, { where: word.word, by: 'srv', addresses });
          keys.push(key);
        }
        if (keys.some((key) => this.#pursuits.get(key)?.node)) break;
        // What was named just now has not been tried yet.
        if (keys.some((key) => !this.#pursuits.has(key))) {
          next = Math.min(wait * 2, RETRY.most);
          break;
        }
      }
      if (this.#over.signal.aborted) return;
      for (const key of [...this.#pursuits.keys()]) {
        if (key.startsWith(prefix) && !wanted.has(key)) this.#give(key);
      }
      for (const [key, candidate] of wanted) if (!this.#pursuits.has(key)) this.#pursue(key, candidate);
    } catch (cause) {
      const took = performance.now() - start;
      const error = cause as Error;
      next = Math.min(wait * 2, RETRY.most);
      onTrial?.({ where: word.word, what: 'srv', address: word.name, took, outcome: 'failed', error });
    }
    if (this.#over.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#followSrv(word, next);
    }, next);
    timer.unref();
    this.#timers.add(timer);
  }
}

/** Of one node no more addresses than these are tried, those that were told last. */
const MOST_TOLD = 12;

/**
 * Watches for nodes where the words say (as `findNodes`): those that are there, and those that join late. What does not
 * answer is tried again after 0.5 s, then with a wait that doubles up to 30 s. A node is told `down` when it says
 * goodbye or is heard no more and does not answer, or when its SRV record goes; who is connected learns of its
 * loss sooner, and says so with `lost`. It never keeps the process alive. Rejects with OptionError, or with the signal's
 * reason if it is aborted already; later, that ends the watch.
 */
export const watchNodes = async <State extends NodeBasics>(
  where: readonly string[],
  options: WatchOptions<State>,
): Promise<NodeWatch<State>> => {
  checkFindOptions(options);
  options.signal?.throwIfAborted();
  const words = await readWhere(where);
  options.signal?.throwIfAborted();
  return new NodeWatch(options, words);
};

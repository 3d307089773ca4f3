import { once, setMaxListeners } from 'node:events';
import { DAEMON_PORT } from '../access/dial.ts';
import { TimeoutError } from '../wire/errors.ts';
import type { Announced } from './announced.ts';
import { Browse } from './browse.ts';
import { type Candidate, tryCandidate } from './candidate.ts';
import { lookUp } from './hosts.ts';
import { isLoopback } from './interfaces.ts';
import { merged } from './merge.ts';
import type { FoundNode, NodeBasics, Search, Trial } from './node.ts';
import { checkFindOptions, type FindOptions, SEARCH_WITHIN } from './options.ts';
import { addressesOfTarget, srvClasses, systemResolver } from './srv.ts';
import { PORTS_TRIED, readWhere, type Where } from './where.ts';

/** The share of a search's time in which is listened for nodes; the rest is for dialling what was heard last. */
const LISTENING = 0.6;
/** Nothing new for so long after a node was heard, in milliseconds, and all have answered: hosts of a LAN take far less. */
const QUIET = 1_000;

type Of<Kind extends Where['kind']> = Extract<Where, { kind: Kind }>;

/** One search. */
class Finder<State extends NodeBasics> {
  readonly #options: FindOptions<State>;
  readonly #trials: Trial[] = [];
  readonly #start = performance.now();
  readonly #timeout: number;
  readonly #over: AbortSignal;

  /** `over` is aborted when the search's time is over, or it is given up. */
  constructor(options: FindOptions<State>, timeout: number, over: AbortSignal) {
    this.#options = options;
    this.#timeout = timeout;
    this.#over = over;
  }

  async search(words: readonly Where[]): Promise<Search<State>> {
    const byAddress = words.map((word) => this.#byAddress(word));
    const found = await Promise.all([...byAddress, this.#byMulticast(words, byAddress)]);
    return {
      nodes: merged(found.flat()),
      trials: this.#trials,
      took: performance.now() - this.#start,
    };
  }

  async #byAddress(word: Where): Promise<FoundNode<State>[]> {
    if (word.kind === 'srv') return this.#bySrv(word);
    if (word.kind === 'static') {
      return this.#tryAll([{ where: word.word, by: 'static', addresses: [word.address] }]);
    }
    if (word.kind === 'auto') return [];
    // One line in the report, and not one for each port.
    const { addresses, trial } = await lookUp(word.word, word.host, this.#over);
    if (trial) this.#trials.push(trial);
    if (addresses.length === 0) return [];
    const ports = Array.from({ length: PORTS_TRIED }, (_, index) => DAEMON_PORT + index);
    return this.#tryAll(
      ports.map((port) => ({ where: word.word, by: 'ports', addresses: [{ host: word.host, port }] })),
    );
  }

  /** All nodes of the first priority of which one answers: the others stand by for it (RFC 2782). */
  async #bySrv({ word, name }: Of<'srv'>): Promise<FoundNode<State>[]> {
    const start = performance.now();
    const resolver = this.#options.resolver ?? systemResolver();
    const asked = { where: word, what: 'srv', address: name } as const;
    let classes: ReturnType<typeof srvClasses>;
    try {
      classes = srvClasses(await this.#orOver(resolver.resolveSrv(name)));
      const error =
        classes.length > 0 ? undefined : new Error('its records say that there is no such service');
      const outcome = 'answered' as const;
      this.#trials.push({ ...asked, took: performance.now() - start, outcome, ...(error && { error }) });
    } catch (cause) {
      const error = cause as Error;
      this.#trials.push({ ...asked, took: performance.now() - start, outcome: 'failed', error });
      return [];
    }
    for (const records of classes) {
      const candidates = await this.#orOver(
        Promise.all(
          records.map(async ({ name: target, port }): Promise<Candidate> => {
            const hosts = await addressesOfTarget(target, resolver);
            return { where: word, by: 'srv', addresses: hosts.map((host) => ({ host, port })) };
          }),
        ),
      ).catch(() => []);
      const found = await this.#tryAll(candidates);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** One conversation for all words that need it: `auto` takes all nodes, `host:*` those at the host's addresses. */
  async #byMulticast(
    words: readonly Where[],
    byAddress: readonly Promise<FoundNode<State>[]>[],
  ): Promise<FoundNode<State>[]> {
    const asking = words.filter(({ kind }) => kind === 'auto' || kind === 'host');
    const isAuto = asking.some(({ kind }) => kind === 'auto');
    const hosts = await Promise.all(
      words
        .filter((word) => word.kind === 'host')
        .map(async ({ word, host }) => {
          const { addresses } = await lookUp(word, host, this.#over);
          return { word, addresses: new Set(addresses) };
        }),
    );
    const { interfaces } = this.#options;
    // What listens on loopback only is announced nowhere else.
    const isHeard = interfaces !== undefined || hosts.some((host) => ![...host.addresses].every(isLoopback));
    if (!isAuto && !isHeard) return [];
    const wordOf = ({ addresses }: Announced): string | undefined =>
      isAuto ? 'auto' : hosts.find((host) => addresses.some((one) => host.addresses.has(one)))?.word;

    const tries = new Map<string, Promise<FoundNode<State>[]>>();
    const done = new AbortController();
    let quiet: NodeJS.Timeout | undefined;
    const awaitQuiet = () => {
      clearTimeout(quiet);
      if (!done.signal.aborted) quiet = setTimeout(() => done.abort(), QUIET);
    };
    const browse = new Browse({
      ...(interfaces && { interfaces }),
      heard: (announced, on) => {
        const where = wordOf(announced);
        // A node tells other addresses on another interface.
        const key = JSON.stringify([announced.id, announced.addresses]);
        if (where === undefined || tries.has(key)) return;
        const addresses = announced.addresses.map((host) => ({ host, port: announced.port }));
        tries.set(key, this.#tryAll([{ where, by: 'mdns', addresses, interface: on, announced }]));
        awaitQuiet();
      },
    });
    // Hosts that were found by their ports are not waited for as long as nodes nobody knows of.
    if (!isAuto) {
      void Promise.all(byAddress).then((found) => {
        if (found.every((nodes) => nodes.length > 0)) awaitQuiet();
      });
    }
    const bound = setTimeout(() => done.abort(), this.#timeout * LISTENING);
    const giveUp = () => done.abort();
    this.#over.addEventListener('abort', giveUp, { once: true });
    if (this.#over.aborted) giveUp();
    try {
      await browse.open();
      if (!browse.isDeaf && !done.signal.aborted) await once(done.signal, 'abort');
      for (const { word } of asking) this.#trials.push(...browse.trials(word));
      return (await Promise.all(tries.values())).flat();
    } finally {
      done.abort();
      clearTimeout(bound);
      clearTimeout(quiet);
      this.#over.removeEventListener('abort', giveUp);
      await browse.close();
    }
  }

  async #tryAll(candidates: readonly Candidate[]): Promise<FoundNode<State>[]> {
    const timeout = Math.max(1, this.#timeout - (performance.now() - this.#start));
    const { probe } = this.#options;
    const tried = await Promise.all(
      candidates.map((candidate) => tryCandidate(candidate, { probe, timeout, signal: this.#over })),
    );
    this.#trials.push(...tried.flatMap(({ trials }) => trials));
    return tried.flatMap(({ node }) => node ?? []);
  }

  #orOver<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(this.#over.reason as Error);
      this.#over.addEventListener('abort', giveUp, { once: true });
      if (this.#over.aborted) giveUp();
      work.then(resolve, reject).finally(() => this.#over.removeEventListener('abort', giveUp));
    });
  }
}

/**
 * Looks for nodes where the words say: `auto` (multicast DNS), `host` or `host:port`, `host:*` (the ports that daemons
 * take, and what the host announces), `srv:NAME` (DNS SRV records), `@FILE` (such words, one a line). Each is taken for
 * found only if it answers the probe. Resolves within `timeout` with what was found, be it nothing, and with all that
 * was tried. Rejects with OptionError, or with the signal's reason.
 */
export const findNodes = async <State extends NodeBasics>(
  where: readonly string[],
  options: FindOptions<State>,
): Promise<Search<State>> => {
  checkFindOptions(options);
  const { signal, timeout = SEARCH_WITHIN } = options;
  signal?.throwIfAborted();
  const words = await readWhere(where);
  const over = new AbortController();
  // As many wait for it as there are addresses to dial.
  setMaxListeners(0, over.signal);
  const bound = setTimeout(() => {
    over.abort(new TimeoutError(`There was no answer within the ${timeout} ms of the search.`, timeout));
  }, timeout);
  const giveUp = () => over.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    const search = await new Finder(options, timeout, over.signal).search(words);
    signal?.throwIfAborted();
    return search;
  } finally {
    clearTimeout(bound);
    signal?.removeEventListener('abort', giveUp);
  }
};

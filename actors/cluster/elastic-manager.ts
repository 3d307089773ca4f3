import * as v from 'valibot';
import { parseBind } from '../../lib/cluster/direct/address.ts';
import type { Arrival } from '../../lib/fork/elastic/arrival.ts';
import type { Gate } from '../../lib/fork/elastic/gate.ts';
import { joinTicketText } from '../../lib/ticket/join-ticket.ts';
import type { TicketTerms } from '../../lib/ticket/keys.ts';
import { OffsiteError, OptionError } from '../../lib/wire/errors.ts';
import { checkOptions as checkSite } from '../remote-manager/options.ts';
import { checkTerms } from '../remote-manager/ticket.ts';
import { withWay } from '../remote-manager/way.ts';
import { RemoteManager, type RemoteManagerOptions } from '../remote-manager.ts';
import type { ClusterManager, LaunchRequest, WorkerConfig, WorkerEvent } from './manager.ts';

/** How sites are let join; everything has a default. */
export interface ElasticManagerOptions
  extends Pick<RemoteManagerOptions, 'heartbeat' | 'limits' | 'serve' | 'unreachableTimeout'> {
  /**
   * Where this program listens, `host[:port]`, an IPv6 address in brackets; `0.0.0.0` or `[::]` for all addresses.
   * @default '127.0.0.1', any port that is free: only sites on this host can join
   */
  bind?: string;
  /** What tickets say instead, `host[:port]`: a name, or the near end of a tunnel. @default where it listens */
  address?: string;
  /** What is joined, in messages. @default 'the cluster' */
  name?: string;
}

/** The sites of an ElasticManager. */
export interface ElasticWorkers {
  /** The ids of those in the cluster. */
  readonly active: readonly number[];
  /** The hosts of those that have come in, and are not in the cluster yet. */
  readonly pending: readonly string[];
  /** The ids of those that were in the cluster, the latest 1000 of them. */
  readonly terminated: readonly number[];
}

const LOOPBACK = '127.0.0.1';
/** How many of those that have gone are remembered. */
const REMEMBERED = 1_000;

const schema = v.strictObject({
  bind: v.optional(v.string(), LOOPBACK),
  address: v.optional(v.string()),
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')), 'the cluster'),
  site: v.custom<RemoteManagerOptions>(() => true),
});

const checkOptions = (options: ElasticManagerOptions): v.InferOutput<typeof schema> => {
  const { heartbeat, limits, serve, unreachableTimeout, ...own } = options;
  const site = {
    ...(heartbeat !== undefined && { heartbeat }),
    ...(limits && { limits }),
    ...(serve && { serve }),
    ...(unreachableTimeout !== undefined && { unreachableTimeout }),
  };
  checkSite(site);
  const result = v.safeParse(schema, { ...own, site }, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'options';
    throw new OptionError(
      option,
      issue.type === 'strict_object' && issue.expected === 'never'
        ? `There is no option "${option}" for an ElasticManager.`
        : `The option ${option} of an ElasticManager is not right: ${issue.message}.`,
    );
  }
  for (const at of [result.output.bind, result.output.address]) if (at !== undefined) parseBind(at);
  return result.output;
};

/** What is given to `addProcs`, and is not for sites that are started by others. */
const NOT_HERE = ['fork', 'detach', 'ticket', 'engine', 'nodePath', 'sshOptions'] as const;

/**
 * Sites join the cluster by themselves, at any time, whoever starts them: Julia's `ElasticManager`. Each needs a ticket,
 * and `offsite join` over there. `addProcs(elastic)` goes on as long as sites may join, so it is iterated, or the cluster's
 * `join` events are listened to; awaited it ends with `close()`. Throws OptionError.
 */
export class ElasticManager implements ClusterManager, AsyncDisposable {
  readonly #options: ReturnType<typeof checkOptions>;
  #gate: Promise<Gate> | undefined;
  #closed = false;
  #launching = false;
  /** Those that no cluster has asked for yet. */
  readonly #waiting: Arrival[] = [];
  /** Those that have come in and are not workers yet. */
  readonly #pending = new Set<Arrival>();
  readonly #active = new Set<number>();
  readonly #terminated: number[] = [];
  /** Wakes the one who waits for the next. */
  #wake = (): void => {};

  constructor(options: ElasticManagerOptions = {}) {
    this.#options = checkOptions(options);
  }

  /**
   * The text by which sites join; it holds a secret. It is good as long as this manager is open, for any number of sites,
   * unless its terms say less: `{ once: true, expires: 60_000 }`. Rejects with OptionError, and with DoorError if the
   * operating system does not let this program listen.
   */
  async ticket(terms: TicketTerms = {}): Promise<string> {
    checkTerms(terms);
    const gate = await this.#open();
    const { address, name } = this.#options;
    const told = address === undefined ? gate.address : parseBind(address);
    const at = { host: told.host, port: told.port || gate.address.port };
    return joinTicketText({ ...at, name, ...gate.issue(terms) });
  }

  /**
   * What is typed into a shell of a machine that is to join; the ticket is in it, and comes to the command by its standard
   * input, because everybody there can read a command line. Rejects as `ticket` does.
   */
  async command(terms: TicketTerms = {}): Promise<string> {
    return `offsite join <<'.'\n${await this.ticket(terms)}\n.\n`;
  }

  /** Who is in the cluster, who is about to be, and who was. */
  get workers(): ElasticWorkers {
    return {
      active: [...this.#active],
      pending: [...this.#pending].map(({ host }) => host),
      terminated: [...this.#terminated],
    };
  }

  /**
   * See ClusterManager. Throws OptionError for what only who starts a site can say, and OffsiteError if another cluster has
   * this manager.
   */
  async *launch({ defaults, signal }: LaunchRequest): AsyncGenerator<WorkerConfig, void, undefined> {
    for (const option of NOT_HERE) {
      if (defaults[option] === undefined) continue;
      throw new OptionError(option, `The option ${option} is not for sites that join by themselves.`);
    }
    if (this.#launching) {
      throw new OffsiteError(
        'ERR_OFFSITE_ELASTIC',
        'This ElasticManager was added to a cluster already; make another one for another cluster.',
      );
    }
    this.#launching = true;
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      await this.#open();
      while (!this.#closed && !signal.aborted) {
        const arrival = this.#waiting.shift();
        if (arrival) yield configOf(arrival, this.#options.site);
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      await this.close();
    }
  }

  /** See ClusterManager. */
  connect({ site, userdata }: WorkerConfig): RemoteManager {
    const { host, fork, pid: parent } = userdata as Arrival;
    return new RemoteManager(withWay({ ...site, host }, { fork, parent }));
  }

  /** See ClusterManager. */
  manage(event: WorkerEvent, id: number, { userdata }: WorkerConfig): void {
    const arrival = userdata as Arrival;
    if (event === 'interrupt') return;
    this.#pending.delete(arrival);
    if (event === 'register') {
      // It may have gone while it was told so.
      if (!this.#terminated.includes(id)) this.#active.add(id);
      return;
    }
    arrival.dismiss();
    if (event === 'finalize') return;
    this.#active.delete(id);
    if (this.#terminated.push(id) > REMEMBERED) this.#terminated.shift();
  }

  /** Nobody joins any more, and tickets are void; those in the cluster stay. Can be called again; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    for (const arrival of this.#waiting.splice(0)) arrival.dismiss();
    await this.#gate?.then(
      (gate) => gate.close(),
      () => {},
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Promise<Gate> {
    if (this.#closed)
      return Promise.reject(
        new OffsiteError('ERR_OFFSITE_ELASTIC', 'This ElasticManager was closed; make a new one.'),
      );
    const { bind } = this.#options;
    this.#gate ??= import('../../lib/fork/elastic/gate.ts').then(({ Gate }) =>
      Gate.open({ bind, onArrival: (arrival) => this.#arrived(arrival) }),
    );
    // A port that is taken may be free later.
    this.#gate.catch(() => {
      this.#gate = undefined;
    });
    return this.#gate;
  }

  #arrived(arrival: Arrival): void {
    this.#pending.add(arrival);
    this.#waiting.push(arrival);
    void arrival.left.then(() => {
      this.#pending.delete(arrival);
      const at = this.#waiting.indexOf(arrival);
      if (at >= 0) this.#waiting.splice(at, 1);
    });
    this.#wake();
  }
}

const configOf = (arrival: Arrival, site: RemoteManagerOptions): WorkerConfig => ({
  site: { ...site, ...(arrival.name !== undefined && { name: arrival.name }) },
  ...(arrival.bind !== undefined && { bind: arrival.bind }),
  userdata: arrival,
});

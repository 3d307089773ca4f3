import type { Browser } from 'bonjour-service';
import { type Announced, readAnnounced } from './announced.ts';
import { Lan, type LanLink } from './lan.ts';
import { MDNS_PORT } from './multicast-socket.ts';
import type { Trial } from './node.ts';
import { SERVICE } from './where.ts';

/** When it is asked again, in milliseconds after the last time; then ever again after the last of these. */
const ASKED_AFTER = [300, 1_000, 3_000, 10_000, 60_000] as const;
/** Answers that did not come in so many questions are waited for no more. */
const UNHEARD = 3;
/** More nodes than this are not listened to: somebody floods the network. */
const MOST_NODES = 4_096;

/** What is done with announcements. */
export interface BrowseOptions {
  /** Names or addresses of interfaces. @default all that are up and not loopback */
  readonly interfaces?: readonly string[];
  /** A node was heard on an interface, for the first time or again. */
  readonly heard: (announced: Announced, on: string) => void;
  /** A node said goodbye, or somebody did so in its name, or it was asked for and not heard of any more. */
  readonly gone?: (id: string) => void;
}

/** Listens to what nodes announce in this host's networks, and asks for it. It never keeps the process alive. */
export class Browse {
  readonly #options: BrowseOptions;
  readonly #lan: Lan;
  readonly #browsers = new Map<LanLink, Browser>();
  /** In which round each node was heard last. */
  readonly #heardIn = new Map<string, number>();
  readonly #answers = new Map<string, Set<string>>();
  readonly #start = performance.now();
  #round = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BrowseOptions) {
    this.#options = options;
    this.#lan = new Lan({
      ...(options.interfaces && { interfaces: options.interfaces }),
      opened: (link) => this.#ask(link),
      closing: async (link) => {
        this.#browsers.get(link)?.stop();
        this.#browsers.delete(link);
      },
    });
  }

  /** Asks for the first time; resolves when that was sent, or could not be. Never rejects. */
  async open(): Promise<void> {
    await this.#lan.open();
    this.#askLater();
  }

  /** Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#round = Number.NaN;
    await this.#lan.close();
  }

  /** Whether there is no interface on which anybody could be heard now. */
  get isDeaf(): boolean {
    return this.#lan.links.length === 0;
  }

  /** What was tried on each interface so far, because of a word. */
  trials(where: string): Trial[] {
    const took = performance.now() - this.#start;
    const common = { where, what: 'multicast', port: MDNS_PORT, took } as const;
    const tried = this.#lan.links.map(({ at: { name, address }, socket: { trouble } }): Trial => {
      const outcome = trouble ? 'failed' : this.#answers.has(name) ? 'answered' : 'silent';
      return { ...common, interface: name, address, outcome, ...(trouble && { error: trouble }) };
    });
    const failed = this.#lan.troubles.map(
      ({ at: { name, address }, error }): Trial => ({
        ...common,
        interface: name,
        address,
        outcome: 'failed',
        error,
      }),
    );
    if (tried.length + failed.length > 0) return [...tried, ...failed];
    const { interfaces } = this.#options;
    const what = interfaces
      ? `This host has no interface that is up and has the name or address ${interfaces.join(' or ')}.`
      : 'This host has no network interface that is up, but for loopback.';
    return [{ ...common, outcome: 'failed', error: new Error(what) }];
  }

  #askLater(): void {
    if (Number.isNaN(this.#round)) return;
    const wait = ASKED_AFTER[Math.min(this.#round, ASKED_AFTER.length - 1)]!;
    this.#timer = setTimeout(() => {
      this.#round += 1;
      for (const link of this.#lan.links) this.#ask(link);
      this.#forget();
      this.#askLater();
    }, wait);
    this.#timer.unref();
  }

  /**
   * A new browser each time: the library's tells a node once only, keeps the time to live of the wrong record (8 hours),
   * and does not renew it. The new one is told all who answer now.
   */
  #ask(link: LanLink): void {
    this.#browsers.get(link)?.stop();
    const [type] = SERVICE.slice(1).split('.') as [string];
    const browser = link.bonjour.find({ type });
    browser.on('up', (service) => {
      const announced = readAnnounced(service);
      if (!announced || (this.#heardIn.size >= MOST_NODES && !this.#heardIn.has(announced.id))) return;
      this.#heardIn.set(announced.id, this.#round);
      const { name } = link.at;
      this.#answers.set(name, (this.#answers.get(name) ?? new Set()).add(announced.id));
      this.#options.heard(announced, name);
      if (browser.services.length > MOST_NODES) browser.stop();
    });
    browser.on('down', ({ fqdn }) => {
      const id = fqdn.toLowerCase();
      if (this.#heardIn.delete(id)) this.#options.gone?.(id);
    });
    this.#browsers.set(link, browser);
  }

  #forget(): void {
    for (const [id, round] of this.#heardIn) {
      if (this.#round - round <= UNHEARD) continue;
      this.#heardIn.delete(id);
      this.#options.gone?.(id);
    }
  }
}

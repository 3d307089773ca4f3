import type { Visitor } from '../../lib/access/visitor.ts';
import { isEntered } from '../../lib/daemon/current-folder.ts';
import type { RunAs } from '../../lib/daemon/run-as.ts';
import type { HourState, ServiceHours } from '../../lib/daemon/service-hours.ts';
import type { SiteFolder, SiteFolders } from '../../lib/daemon/site-folders.ts';
import { type Slot, Slots } from '../../lib/daemon/slots.ts';
import type { StartSite } from '../../lib/fork/daemon/messages.ts';
import {
  type Admission,
  ownEnvironment,
  type SitePlace,
  serveSite,
} from '../../lib/fork/daemon/serve-site.ts';
import type { Client, RunningSite } from './clients.ts';
import { bridged, busy, closed, draining, type Refused, withoutFolder } from './refusals.ts';

/** How many may lead to detached sites at once: they take no slot. */
const BRIDGES = 64;
/** A client may ask for a site before the one that it has just ended is gone; so long it waits in any case, in ms. */
const SETTLE_WITHIN = 250;

/** What sites need of their daemon. */
export interface SitesOptions {
  readonly name: string;
  readonly cpus: number;
  readonly folders: SiteFolders;
  readonly runAs: RunAs | undefined;
  readonly zombieInterval: number;
  readonly msgTimeout: number;
  readonly serviceHours: ServiceHours | undefined;
  readonly now: () => number;
  /** The number of slots, or of free ones, has changed. */
  readonly onChange: () => void;
  readonly onStart: (client: Client, site: RunningSite & { folder: string; bridge: boolean }) => void;
  readonly onEnd: (client: Client, site: RunningSite) => void;
  readonly onRefused: (client: Client, name: string, refused: Refused) => void;
  readonly onFolderLeft: (folder: string, cause: unknown) => void;
}

/** What one visitor has, and gives back. */
interface Visit {
  readonly client: Client;
  /** Its own, because what waits for a signal does so until the signal is gone. */
  readonly end: AbortController;
  readonly kill: AbortController;
  slot?: Slot;
  folder?: SiteFolder;
  site?: RunningSite;
  bridge?: boolean;
}

/** Thrown at who waits for a slot, when there is nothing to wait for. */
class Turned {
  readonly refused: Refused;

  constructor(refused: Refused) {
    this.refused = refused;
  }
}

/** The sites of a daemon: who gets one, where it runs, and what is left of it. */
export class Sites {
  readonly slots: Slots;
  /** How many it has started. */
  started = 0;
  readonly #options: SitesOptions;
  readonly #visits = new Map<Visit, Promise<void>>();
  /** Visits that have a slot, or whose folder is still there. */
  readonly #holding = new Set<Visit>();
  readonly #onEmpty = new Set<() => void>();
  #bridges = 0;
  #state: HourState = 'serving';

  constructor(options: SitesOptions) {
    this.#options = options;
    this.slots = new Slots(options.cpus, options.onChange);
  }

  /** Whether sites are started from now on; who waits for a slot is sent away if not. */
  enter(state: HourState): void {
    this.#state = state;
    const refused = this.#refusal();
    if (refused) this.slots.refuseWaiters(new Turned(refused));
  }

  /** Serves a visitor until he has gone and nothing is left of his site. Never rejects. */
  async serve(visitor: Visitor, client: Client): Promise<void> {
    const visit: Visit = { client, end: new AbortController(), kill: new AbortController() };
    const served = this.#serve(visitor, visit);
    this.#visits.set(visit, served);
    await served;
    this.#visits.delete(visit);
  }

  /** Ends all that runs: asks, then kills. */
  end(): void {
    for (const { end } of this.#visits.keys()) end.abort();
  }

  /** Kills all that runs. */
  kill(): void {
    for (const { kill } of this.#visits.keys()) kill.abort();
    this.end();
  }

  /** Resolves when no site runs and none of their folders is left; bridges are none. */
  async emptied(): Promise<void> {
    while (this.#holding.size > 0) await new Promise<void>((resolve) => this.#onEmpty.add(resolve));
  }

  /** Ends all, and resolves when no visitor is left. */
  async close(): Promise<void> {
    while (this.#visits.size > 0) {
      this.end();
      await Promise.all(this.#visits.values());
    }
  }

  async #serve(visitor: Visitor, visit: Visit): Promise<void> {
    const { zombieInterval, msgTimeout } = this.#options;
    try {
      await serveSite(visitor, {
        admit: (start, signal) => this.#admit(visit, start, signal),
        signal: visit.end.signal,
        kill: visit.kill.signal,
        messageTimeout: msgTimeout,
        lease: zombieInterval,
      });
    } finally {
      await this.#clear(visit);
    }
  }

  #refusal(): Refused | undefined {
    const { name, serviceHours, now } = this.#options;
    if (this.#state === 'serving') return undefined;
    return (this.#state === 'closed' ? closed : draining)(name, serviceHours, now());
  }

  /** Never rejects. */
  async #admit(visit: Visit, start: StartSite, signal: AbortSignal): Promise<Admission> {
    try {
      return { place: await (start.bridge ? this.#bridge(visit, start) : this.#place(visit, start, signal)) };
    } catch (cause) {
      if (!(cause instanceof Turned)) return { refused: withoutFolder(this.#options.name, cause) };
      // He has gone, and hears no reason.
      if (!signal.aborted) this.#options.onRefused(visit.client, start.name, cause.refused);
      return { refused: cause.refused };
    }
  }

  async #place(visit: Visit, start: StartSite, signal: AbortSignal): Promise<SitePlace> {
    const refused = this.#refusal();
    if (refused) throw new Turned(refused);
    visit.slot = await this.#slot(visit.client, start.waits === true, signal);
    this.#holding.add(visit);
    const folder = await this.#options.folders.make();
    visit.folder = folder;
    const { work: own, tmp, execArgv } = folder;
    const cwd = await this.#currentFolder(start, own);
    return this.#placeAt(visit, start, cwd, { TMPDIR: tmp, TMP: tmp, TEMP: tmp }, execArgv);
  }

  async #slot({ user }: Client, waits: boolean, gone: AbortSignal): Promise<Slot> {
    const settled = AbortSignal.timeout(SETTLE_WITHIN);
    const signal = waits ? gone : AbortSignal.any([gone, settled]);
    try {
      return (await this.slots.take({ user, waits: true, signal }))!;
    } catch (cause) {
      if (cause instanceof Turned) throw cause;
      throw new Turned(busy(this.#options.name, this.slots));
    }
  }

  /** A bridge does one errand for a detached site, which is no site of this daemon: it has neither slot nor folder. */
  async #bridge(visit: Visit, start: StartSite): Promise<SitePlace> {
    const refused = this.#refusal();
    if (refused) throw new Turned(refused);
    if (this.#bridges >= BRIDGES) throw new Turned(bridged(this.#options.name, BRIDGES));
    this.#bridges++;
    visit.bridge = true;
    const home = this.#options.runAs ? '/' : process.cwd();
    return this.#placeAt(visit, start, await this.#currentFolder(start, home), {}, []);
  }

  async #currentFolder({ folder }: StartSite, other: string): Promise<string> {
    return folder !== undefined && (await isEntered(folder, this.#options.runAs)) ? folder : other;
  }

  #placeAt(
    visit: Visit,
    { name, bridge = false }: StartSite,
    cwd: string,
    env: NodeJS.ProcessEnv,
    execArgv: readonly string[],
  ): SitePlace {
    const { runAs, now, onStart } = this.#options;
    const { client } = visit;
    const home = runAs?.home ?? visit.folder?.work ?? '/';
    const person = runAs && { HOME: home, USER: runAs.user, LOGNAME: runAs.user, XDG_RUNTIME_DIR: undefined };
    return {
      cwd,
      env: { ...ownEnvironment(), ...person, ...env },
      execArgv,
      ...(runAs && { uid: runAs.uid, gid: runAs.gid }),
      onStart: (pid) => {
        const site = { name, pid, since: now() };
        visit.site = site;
        client.had++;
        if (!bridge) {
          this.started++;
          client.sites.add(site);
        }
        onStart(client, { ...site, folder: cwd, bridge });
      },
    };
  }

  async #clear(visit: Visit): Promise<void> {
    const { client, slot, folder, site, bridge } = visit;
    if (site) {
      client.sites.delete(site);
      this.#options.onEnd(client, site);
    }
    if (bridge) this.#bridges--;
    slot?.();
    // Whoever has the slot next need not wait for it.
    await folder?.remove().catch((cause: unknown) => this.#options.onFolderLeft(folder.path, cause));
    this.#holding.delete(visit);
    if (this.#holding.size > 0) return;
    for (const tell of this.#onEmpty) tell();
    this.#onEmpty.clear();
  }
}

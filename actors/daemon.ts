import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { type Actor, createActor } from 'xstate';
import { pathOf } from '../lib/access/program.ts';
import type { Visitor } from '../lib/access/visitor.ts';
import type { Address } from '../lib/cluster/direct/address.ts';
import { HostLoad, hostMemory } from '../lib/daemon/host-load.ts';
import { type RunAs, userOf } from '../lib/daemon/run-as.ts';
import { opensAt, serviceAt, writtenMoment } from '../lib/daemon/service-hours.ts';
import { openSiteFolders, type SiteFolders } from '../lib/daemon/site-folders.ts';
import { VERSION } from '../lib/daemon/version.ts';
import type { NodeState } from '../lib/fork/daemon/node-state.ts';
import { Admin } from './daemon/admin.ts';
import { Clients } from './daemon/clients.ts';
import { type DaemonClock, hostClock } from './daemon/clock.ts';
import { type ControlServer, listenForControl } from './daemon/control-server.ts';
import { type Doors, openDoors } from './daemon/doors.ts';
import { DaemonError } from './daemon/errors.ts';
import type { DaemonEnd, DaemonEvents } from './daemon/events.ts';
import { type DaemonEvent, type DaemonLife, daemonMachine } from './daemon/machine.ts';
import { NodeFeed } from './daemon/node-feed.ts';
import {
  type CheckedDaemonOptions,
  checkDaemonOptions,
  type DaemonOptions,
  slotsOf,
} from './daemon/options.ts';
import { Sites } from './daemon/sites.ts';
import type { ClientLine, DaemonControl, DaemonStatus } from './daemon/status.ts';
import { deferred, orAborted } from './remote-manager/deferred.ts';

/** How the hours are looked at at least, in milliseconds: clocks are set, and hosts sleep. */
const LOOK_EVERY = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a daemon is opened with beside its options. */
export interface OpenDaemon {
  /** Gives the opening up. */
  readonly signal?: AbortSignal;
  /** By which it knows the time of day. @default the clock of this host */
  readonly clock?: DaemonClock;
  /** What tells what happens, so that somebody listens from the beginning. @default one of its own */
  readonly events?: EventEmitter<DaemonEvents>;
}

/**
 * What waits on a machine and starts sites for its clients, each with a folder of its own, within its slots and its
 * service hours. It hands on what they say to each other, and never runs or decodes any of it. It keeps the program
 * alive.
 */
export class Daemon implements DaemonControl, AsyncDisposable {
  /** Tells what happens, for a log. */
  readonly events: EventEmitter<DaemonEvents>;
  /** Its life, as an XState actor. */
  readonly actor: Actor<typeof daemonMachine>;
  /** Resolves when nothing is left of it, with why it has ended. Never rejects. */
  readonly ended: Promise<DaemonEnd>;
  readonly #options: CheckedDaemonOptions;
  readonly #clock: DaemonClock;
  readonly #clients: Clients;
  readonly #feed: NodeFeed;
  readonly #admin: Admin;
  readonly #load = new HostLoad();
  readonly #visits = new Set<Promise<void>>();
  /** Settled when no site is left and nobody comes in any more. */
  readonly #over = deferred<void>();
  #opening: Promise<void> | undefined;
  #since = 0;
  #served = 0;
  #state: NodeState['state'];
  #space: NodeState['disk'];
  #runAs: RunAs | undefined;
  #folders: SiteFolders | undefined;
  #sites: Sites | undefined;
  #doors: Doors | undefined;
  #control: ControlServer | undefined;

  private constructor(
    options: CheckedDaemonOptions,
    { clock = hostClock, events = new EventEmitter() }: OpenDaemon,
  ) {
    this.#options = options;
    this.events = events;
    this.#clock = clock;
    this.#state = serviceAt(options.serviceHours, clock.now()).state;
    this.#clients = new Clients({
      onCome: ({ user, from }) => {
        this.events.emit('client', { user, from });
        this.#send({ type: 'used' });
      },
      onGone: ({ user, from, had }) => {
        this.events.emit('clientGone', { user, from, sites: had });
        if (this.#clients.size === 0) this.#send({ type: 'unused' });
        if (had > 0 && ++this.#served >= options.serve) this.#send({ type: 'served' });
      },
    });
    this.#feed = new NodeFeed(() => this.#nodeState(), clock);
    this.#admin = new Admin(this);
    this.actor = createActor(daemonMachine, {
      input: { life: this.#life(), idleExit: options.idleExit },
      clock: { setTimeout: clock.setTimeout.bind(clock), clearTimeout: clock.clearTimeout.bind(clock) },
    });
    this.ended = new Promise((resolve) => {
      this.actor.subscribe({
        complete: () => {
          const { end } = this.actor.getSnapshot().context;
          this.events.emit('ended', end);
          resolve(end);
        },
      });
    });
  }

  /**
   * Opens a daemon. Rejects with OptionError, with SitesFolderError if another daemon has the folder of its sites, with
   * DoorError if it can't listen, or with the signal's reason; then nothing is left of it.
   */
  static async open(options: DaemonOptions = {}, context: OpenDaemon = {}): Promise<Daemon> {
    const { signal } = context;
    signal?.throwIfAborted();
    const daemon = new Daemon(checkDaemonOptions(options), context);
    const opened = new Promise<void>((resolve) => {
      const { unsubscribe } = daemon.actor.subscribe((state) => {
        if (state.value === 'opening') return;
        resolve();
        queueMicrotask(() => unsubscribe());
      });
    });
    daemon.actor.start();
    try {
      await orAborted(Promise.race([opened, daemon.ended]), signal);
    } catch (cause) {
      await daemon.stop({ now: true });
      await daemon.ended;
      throw cause;
    }
    const { end } = daemon.actor.getSnapshot().context;
    if (end.why === 'failed') throw end.cause;
    return daemon;
  }

  /** Where clients find it: what it listens on, or what they are told instead. */
  get addresses(): readonly Address[] {
    return this.#doors?.addresses ?? [];
  }

  /** Where its control socket is, by which this user steers it; nothing if there is no folder for one. */
  get controlSocket(): string | undefined {
    return this.#control?.path;
  }

  status(): DaemonStatus {
    const { next } = serviceAt(this.#options.serviceHours, this.#clock.now());
    return {
      ...this.#node(),
      pid: process.pid,
      addresses: this.addresses,
      since: this.#since,
      clients: this.clients(),
      started: this.#sites?.started ?? 0,
      served: this.#served,
      ...(next && { next }),
    };
  }

  clients(): readonly ClientLine[] {
    return this.#clients.lines();
  }

  /** Rejects with DaemonError if it is resumed before all sites have ended. */
  async drain(): Promise<void> {
    this.#send({ type: 'drain' });
    const resumed = deferred<never>();
    const watch = this.actor.subscribe((state) => {
      if (state.matches({ open: { service: 'serving' } }))
        resumed.reject(new DaemonError('The daemon takes clients again, before all of its sites had ended.'));
    });
    try {
      await Promise.race([this.#sites?.emptied(), this.#over.promise, resumed.promise]);
    } finally {
      watch.unsubscribe();
    }
  }

  /** Throws DaemonError if it is being stopped, or outside of its service hours. */
  resume(): void {
    if (!this.actor.getSnapshot().matches('open')) {
      throw new DaemonError('The daemon is being stopped, and takes no clients any more. Start another one.');
    }
    this.#send({ type: 'resume' });
    const { serviceHours } = this.#options;
    if (this.#state === 'serving' || !serviceHours) return;
    const opens = opensAt(serviceHours, this.#clock.now());
    const when =
      opens === undefined ? 'when they begin' : `at ${writtenMoment(opens, serviceHours.timeZone)}`;
    throw new DaemonError(`It is outside of the daemon's service hours; it takes clients again ${when}.`);
  }

  setCpus(cpus: number): void {
    const count = slotsOf(cpus);
    this.#sites?.slots.resize(count);
    this.events.emit('cpus', count);
  }

  /** Resolves when all sites have ended, their folders are gone, and nobody comes in any more. Never rejects. */
  async stop({ now = false }: { now?: boolean } = {}): Promise<void> {
    this.#send({ type: now ? 'kill' : 'stop' });
    await this.#over.promise;
  }

  /** Lets somebody in who has come another way than by what it listens on, and has proved who he is. */
  receive(visitor: Visitor): void {
    const visit = this.#serve(visitor);
    this.#visits.add(visit);
    void visit.then(() => this.#visits.delete(visit));
  }

  /** Kills what runs, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ now: true });
    await this.ended;
  }

  /** One that has ended is told nothing more. */
  #send(event: DaemonEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  #life(): DaemonLife {
    const { serviceHours } = this.#options;
    return {
      open: (signal) => {
        this.#opening = this.#open(signal);
        return this.#opening;
      },
      hours: () => {
        const now = this.#clock.now();
        const { state, next } = serviceAt(serviceHours, now);
        return { state, for: next ? Math.min(next.at - now, LOOK_EVERY) : LONGEST_TIMER };
      },
      enter: (state) => {
        this.#state = state;
        this.#sites?.enter(state);
        this.#feed.changed();
        this.events.emit('state', state);
      },
      endSites: () => this.#sites?.end(),
      killSites: () => this.#sites?.kill(),
      emptied: async () => this.#sites?.emptied(),
      close: () => this.#close(),
    };
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { uid, name, destPathPrefix: prefix, init } = this.#options;
    try {
      const runAs = uid === undefined ? undefined : await userOf(uid);
      this.#runAs = runAs;
      signal.throwIfAborted();
      const folders = await openSiteFolders({
        name,
        ...(prefix !== undefined && { prefix }),
        ...(runAs && { runAs }),
        ...(init !== undefined && { init }),
      });
      this.#folders = folders;
      if (folders.leftovers > 0) this.events.emit('leftovers', folders.leftovers);
      this.#space = await folders.space();
      this.#sites = this.#makeSites(folders);
      this.#since = this.#clock.now();
      signal.throwIfAborted();
      this.#doors = await openDoors(this.#options, (visitor) => this.receive(visitor));
      signal.throwIfAborted();
      const { port } = this.#doors.listens[0]!;
      this.#control = await listenForControl(this, port).catch((cause: unknown) => {
        // It serves its clients all the same.
        this.events.emit('uncontrolled', cause);
        return undefined;
      });
      signal.throwIfAborted();
      if (this.#options.serve === 0) setImmediate(() => this.#send({ type: 'served' }));
    } catch (cause) {
      // If it was given up, the machine goes on to close it.
      if (!signal.aborted) await this.#release();
      throw cause;
    }
  }

  #makeSites(folders: SiteFolders): Sites {
    const { name, cpus, zombieInterval, msgTimeout, serviceHours } = this.#options;
    const sites = new Sites({
      name,
      cpus,
      folders,
      runAs: this.#runAs,
      zombieInterval,
      msgTimeout,
      serviceHours,
      now: () => this.#clock.now(),
      onChange: () => this.#feed.changed(),
      onStart: ({ user, from }, { name: site, pid, folder, bridge }) =>
        this.events.emit('site', { user, from, name: site, pid, folder, bridge }),
      onEnd: ({ user, from }, { name: site, pid, since }) =>
        this.events.emit('siteEnded', { user, from, name: site, pid, after: this.#clock.now() - since }),
      onRefused: ({ user, from }, site, { why, what }) =>
        this.events.emit('refused', { user, from, name: site, why, what }),
      onFolderLeft: (folder, cause) => this.events.emit('folderLeft', { folder, cause }),
    });
    sites.enter(this.#state);
    return sites;
  }

  /** Serves a visitor until he has gone. Never rejects. */
  async #serve(visitor: Visitor): Promise<void> {
    const { zombieInterval } = this.#options;
    const path = pathOf(visitor);
    const { user, from, domain } = visitor;
    if (path === '/admin') {
      if (domain !== 'admin') this.events.emit('stranger', { user, from, path, what: 'may not steer' });
      return this.#admin.serve(visitor, zombieInterval);
    }
    if (path !== '/site' && path !== '/node') {
      this.events.emit('stranger', { user, from, path, what: 'asked for what is not there' });
      visitor.socket.on('error', () => {});
      return visitor.socket.terminate();
    }
    const { client, leave } = this.#clients.enter(visitor, this.#clock.now());
    if (path === '/node') await this.#feed.serve(visitor, zombieInterval);
    else await this.#sites!.serve(visitor, client);
    leave();
  }

  async #close(): Promise<void> {
    // One that was given up may still open something.
    await this.#opening?.catch(() => {});
    await this.#release();
  }

  async #release(): Promise<void> {
    await this.#doors?.close();
    await this.#sites?.close();
    await this.#folders?.close();
    await this.#feed.close();
    this.#over.resolve();
    // Who has had it stopped is told that it was.
    await Promise.all([this.#admin.close(), this.#control?.close()]);
    await Promise.all(this.#visits);
  }

  #node(): NodeState {
    const { name, labels, maxFileSize, restartWorkers } = this.#options;
    const slots = this.#sites?.slots;
    return {
      name,
      host: hostname(),
      version: VERSION,
      node: process.versions.node,
      platform: process.platform,
      arch: process.arch,
      labels,
      cpus: slots?.count ?? 0,
      free: slots?.free ?? 0,
      state: this.#state,
      load: this.#load.look(),
      memory: hostMemory(),
      ...(this.#space && { disk: this.#space }),
      ...(maxFileSize !== undefined && { maxFileSize }),
      restartWorkers,
    };
  }

  async #nodeState(): Promise<NodeState> {
    this.#space = await this.#folders?.space();
    return this.#node();
  }
}

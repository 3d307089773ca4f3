import type { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { pathOf } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';
import { HostLoad, hostMemory } from '../../lib/daemon/host-load.ts';
import { type RunAs, userOf } from '../../lib/daemon/run-as.ts';
import { type HourState, serviceAt } from '../../lib/daemon/service-hours.ts';
import { openSiteFolders, type SiteFolders } from '../../lib/daemon/site-folders.ts';
import { VERSION } from '../../lib/daemon/version.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { deferred } from '../remote-manager/deferred.ts';
import { Admin } from './admin.ts';
import { announceDaemon } from './announcing.ts';
import { Clients } from './clients.ts';
import type { DaemonClock } from './clock.ts';
import { type ControlServer, listenForControl } from './control-server.ts';
import { type Doors, openDoors } from './doors.ts';
import type { DaemonEvents } from './events.ts';
import { serveJoined } from './joined.ts';
import type { DaemonEvent, DaemonLife } from './machine.ts';
import { NodeFeed } from './node-feed.ts';
import type { CheckedDaemonOptions, DialledScheduler } from './options.ts';
import { Sites } from './sites.ts';
import type { DaemonControl, DaemonStatus } from './status.ts';

/** How the hours are looked at at least, in milliseconds: clocks are set, and hosts sleep. */
const LOOK_EVERY = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a daemon's service needs of its daemon. */
export interface ServiceOptions {
  readonly options: CheckedDaemonOptions;
  readonly clock: DaemonClock;
  readonly events: EventEmitter<DaemonEvents>;
  /** What those get who steer it. */
  readonly control: DaemonControl;
  /** Tells the daemon's machine. */
  readonly send: (event: DaemonEvent) => void;
}

/** What a daemon does for those who come, and what it has open for that; its machine says when. */
export class DaemonService implements DaemonLife {
  readonly clients: Clients;
  /** Resolves when no site is left and nobody comes in any more. */
  readonly over: Promise<void>;
  readonly #options: CheckedDaemonOptions;
  readonly #clock: DaemonClock;
  readonly #events: EventEmitter<DaemonEvents>;
  readonly #control: DaemonControl;
  readonly #send: (event: DaemonEvent) => void;
  readonly #feed: NodeFeed;
  readonly #admin: Admin;
  readonly #load = new HostLoad();
  readonly #visits = new Set<Promise<void>>();
  /** What it is to schedulers, and what ends that. */
  readonly #joined = new Set<Promise<void>>();
  readonly #leave = new AbortController();
  readonly #isOver = deferred<void>();
  #opening: Promise<void> | undefined;
  #since = 0;
  #served = 0;
  #state: NodeState['state'];
  #space: NodeState['disk'];
  #folders: SiteFolders | undefined;
  #sites: Sites | undefined;
  #doors: Doors | undefined;
  #controlServer: ControlServer | undefined;
  #announced: ReturnType<typeof announceDaemon> | undefined;

  constructor({ options, clock, events, control, send }: ServiceOptions) {
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#control = control;
    this.#send = send;
    this.over = this.#isOver.promise;
    this.#state = this.hours().state;
    this.clients = new Clients({
      onCome: ({ user, from }) => {
        events.emit('client', { user, from });
        send({ type: 'used' });
      },
      onGone: ({ user, from, had }) => {
        events.emit('clientGone', { user, from, sites: had });
        if (this.clients.size === 0) send({ type: 'unused' });
        if (had > 0 && ++this.#served >= options.serve) send({ type: 'served' });
      },
    });
    this.#feed = new NodeFeed(() => this.#nodeState(), clock);
    this.#admin = new Admin(control);
  }

  /** What clients are told. */
  get addresses(): readonly Address[] {
    return this.#doors?.addresses ?? [];
  }

  get controlSocket(): string | undefined {
    return this.#controlServer?.path;
  }

  status(): DaemonStatus {
    const { next } = serviceAt(this.#options.serviceHours, this.#clock.now());
    return {
      ...this.#node(),
      pid: process.pid,
      addresses: this.addresses,
      since: this.#since,
      clients: this.clients.lines(),
      started: this.#sites?.started ?? 0,
      served: this.#served,
      ...(next && { next }),
    };
  }

  /** Sets the number of slots. */
  resize(cpus: number): void {
    this.#sites?.slots.resize(cpus);
    this.#events.emit('cpus', cpus);
  }

  /** Serves somebody who has come in. */
  receive(visitor: Visitor): void {
    const visit = this.#serve(visitor);
    this.#visits.add(visit);
    void visit.then(() => this.#visits.delete(visit));
  }

  open(signal: AbortSignal): Promise<void> {
    this.#opening = this.#open(signal);
    return this.#opening;
  }

  hours(): { state: HourState; for: number } {
    const now = this.#clock.now();
    const { state, next } = serviceAt(this.#options.serviceHours, now);
    return { state, for: next ? Math.min(next.at - now, LOOK_EVERY) : LONGEST_TIMER };
  }

  enter(state: HourState): void {
    this.#state = state;
    this.#sites?.enter(state);
    this.#feed.changed();
    this.#events.emit('state', state);
  }

  endSites(): void {
    this.#sites?.end();
  }

  killSites(): void {
    this.#sites?.kill();
  }

  async emptied(): Promise<void> {
    await this.#sites?.emptied();
  }

  async close(): Promise<void> {
    // One that was given up may still open something.
    await this.#opening?.catch(() => {});
    await this.#release();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { uid, name, destPathPrefix: prefix, init } = this.#options;
    try {
      const runAs = uid === undefined ? undefined : await userOf(uid);
      signal.throwIfAborted();
      const folders = await openSiteFolders({
        name,
        ...(prefix !== undefined && { prefix }),
        ...(runAs && { runAs }),
        ...(init !== undefined && { init }),
      });
      this.#folders = folders;
      if (folders.leftovers > 0) this.#events.emit('leftovers', folders.leftovers);
      this.#space = await folders.space();
      this.#sites = this.#makeSites(folders, runAs);
      this.#since = this.#clock.now();
      signal.throwIfAborted();
      this.#doors = await openDoors(this.#options, (visitor) => this.receive(visitor));
      signal.throwIfAborted();
      this.#announced = announceDaemon(this.#options, this.#doors, (trouble) =>
        this.#events.emit('unannounced', trouble),
      );
      const { port } = this.#doors.listens[0]!;
      this.#controlServer = await listenForControl(this.#control, port).catch((cause: unknown) => {
        // It serves its clients all the same.
        this.#events.emit('uncontrolled', cause);
        return undefined;
      });
      signal.throwIfAborted();
      for (const scheduler of this.#options.scheduler) this.#joined.add(this.#join(scheduler));
      if (this.#options.serve === 0) setImmediate(() => this.#send({ type: 'served' }));
    } catch (cause) {
      // If it was given up, the machine goes on to close it.
      if (!signal.aborted) await this.#release();
      throw cause;
    }
  }

  #makeSites(folders: SiteFolders, runAs: RunAs | undefined): Sites {
    const { name, cpus, zombieInterval, msgTimeout, serviceHours } = this.#options;
    const sites = new Sites({
      name,
      cpus,
      folders,
      runAs,
      zombieInterval,
      msgTimeout,
      serviceHours,
      now: () => this.#clock.now(),
      onChange: () => this.#feed.changed(),
      onStart: ({ user, from }, { name: site, pid, folder, bridge }) =>
        this.#events.emit('site', { user, from, name: site, pid, folder, bridge }),
      onEnd: ({ user, from }, { name: site, pid, since }) =>
        this.#events.emit('siteEnded', { user, from, name: site, pid, after: this.#clock.now() - since }),
      onRefused: ({ user, from }, site, { why, what }) =>
        this.#events.emit('refused', { user, from, name: site, why, what }),
      onFolderLeft: (folder, cause) => this.#events.emit('folderLeft', { folder, cause }),
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
      if (domain !== 'admin') this.#events.emit('stranger', { user, from, path, what: 'may not steer' });
      return this.#admin.serve(visitor, zombieInterval);
    }
    if (path !== '/site' && path !== '/node') {
      this.#events.emit('stranger', { user, from, path, what: 'asked for what is not there' });
      return this.#admin.turnAway(visitor, path);
    }
    const { client, leave } = this.clients.enter(visitor, this.#clock.now());
    if (path === '/node') await this.#feed.serve(visitor, zombieInterval);
    else await this.#sites!.serve(visitor, client);
    leave();
  }

  /** Serves at a scheduler too, until this ends. */
  #join(scheduler: Required<DialledScheduler>): Promise<void> {
    return serveJoined({
      ...scheduler,
      follow: (tell, signal) => this.#feed.follow(tell, signal),
      onVisitor: (visitor) => this.receive(visitor),
      log: (line) => this.#events.emit('scheduler', line),
      signal: this.#leave.signal,
    });
  }

  async #release(): Promise<void> {
    this.#leave.abort();
    await this.#doors?.close();
    // Now who asks because of its goodbye finds nobody.
    await (await this.#announced)?.close();
    await this.#sites?.close();
    await this.#folders?.close();
    await this.#feed.close();
    this.#isOver.resolve();
    // Who has had it stopped is told that it was.
    await Promise.all([this.#admin.close(), this.#controlServer?.close()]);
    await Promise.all([...this.#visits, ...this.#joined]);
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

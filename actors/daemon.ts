import { EventEmitter } from 'node:events';
import { type Actor, createActor } from 'xstate';
import type { Visitor } from '../lib/access/visitor.ts';
import type { Address } from '../lib/cluster/direct/address.ts';
import { opensAt, writtenMoment } from '../lib/daemon/service-hours.ts';
import { type DaemonClock, hostClock } from './daemon/clock.ts';
import { DaemonError } from './daemon/errors.ts';
import type { DaemonEnd, DaemonEvents } from './daemon/events.ts';
import { type DaemonEvent, daemonMachine } from './daemon/machine.ts';
import {
  type CheckedDaemonOptions,
  checkDaemonOptions,
  type DaemonOptions,
  slotsOf,
} from './daemon/options.ts';
import { DaemonService } from './daemon/service.ts';
import type { ClientLine, DaemonControl, DaemonStatus } from './daemon/status.ts';
import { deferred, orAborted } from './remote-manager/deferred.ts';

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
  readonly #service: DaemonService;

  private constructor(
    options: CheckedDaemonOptions,
    { clock = hostClock, events = new EventEmitter() }: OpenDaemon,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.events = events;
    this.#service = new DaemonService({
      options,
      clock,
      events,
      control: this,
      send: (event) => this.#send(event),
    });
    this.actor = createActor(daemonMachine, {
      input: { life: this.#service, idleExit: options.idleExit },
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
    return this.#service.addresses;
  }

  /** Where its control socket is, by which this user steers it; nothing if there is no folder for one. */
  get controlSocket(): string | undefined {
    return this.#service.controlSocket;
  }

  status(): DaemonStatus {
    return this.#service.status();
  }

  clients(): readonly ClientLine[] {
    return this.#service.clients.lines();
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
      await Promise.race([this.#service.emptied(), resumed.promise]);
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
    if (!serviceHours || this.status().state === 'serving') return;
    const opens = opensAt(serviceHours, this.#clock.now());
    const when =
      opens === undefined ? 'when they begin' : `at ${writtenMoment(opens, serviceHours.timeZone)}`;
    throw new DaemonError(`It is outside of the daemon's service hours; it takes clients again ${when}.`);
  }

  setCpus(cpus: number): void {
    this.#service.resize(slotsOf(cpus));
  }

  /** Resolves when all sites have ended, their folders are gone, and nobody comes in any more. Never rejects. */
  async stop({ now = false }: { now?: boolean } = {}): Promise<void> {
    this.#send({ type: now ? 'kill' : 'stop' });
    await this.#service.over;
  }

  /** Lets somebody in who has come another way than by what it listens on, and has proved who he is. */
  receive(visitor: Visitor): void {
    this.#service.receive(visitor);
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
}

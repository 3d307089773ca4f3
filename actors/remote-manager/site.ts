import { engineGreeting } from '../../lib/engine/greetings.ts';
import type { EngineGreeting } from '../../lib/engine/protocol.ts';
import type { ForkedSite, SiteDeath } from '../../lib/fork/fork-method.ts';
import type { Session } from '../../lib/wire/session.ts';
import { crashed, type KnownDeath, reasonOf } from './death.ts';
import { Ending, within } from './ending.ts';
import { closedFailure, leftFailure } from './exit.ts';
import { ReachWatch } from './health.ts';
import type { SiteLife } from './machine.ts';
import type { CheckedOptions } from './options.ts';
import type { SiteOutput } from './output.ts';
import { checkEngine, closedEarly, diedEarly, strange, tooLate } from './start-failures.ts';
import { wayTo } from './way.ts';

/** How long a process may outlive its link, in milliseconds; then it is stuck or cut off, and of no use. */
const OUTLIVE_LINK = 1_000;
/** How long the last frames for a site that is left alone may take to leave, in milliseconds. */
const FLUSH_WITHIN = 1_000;
/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** What a site tells its manager. */
export interface SiteEvents {
  /** Its process or thread has ended, or was given up. */
  exited(): void;
  /** It is out of reach, or has come back; `silent` is for how long nothing came, in milliseconds. */
  reach(reachable: boolean, silent: number): void;
}

/** One engine, from the fork to the last trace of its process; its manager's machine says when. */
export class Site implements SiteLife {
  readonly #options: CheckedOptions;
  readonly #name: string;
  readonly #session: Session;
  readonly #output: SiteOutput;
  readonly #events: SiteEvents;
  #starting: Promise<void> | undefined;
  #forked: ForkedSite | undefined;
  #greet: ((greeting: unknown) => void) | undefined;
  readonly #ending = new Ending();
  #linkFailure: Error | undefined;
  /** It outlived its link, and was killed for that. */
  #lostLink = false;
  /** What the engine said of itself, once it is ready. */
  greeting: EngineGreeting | undefined;
  /** Why it is closed, if whoever does it says so. */
  closeCause: unknown;
  /** Whether a detached site is to be left alone when this ends. */
  leaves = false;
  /** How it ended, once it has. */
  death: KnownDeath | undefined;
  #watch: ReachWatch | undefined;
  /** For how long it had been silent when it was given up. */
  #silent: number | undefined;

  constructor(
    options: CheckedOptions,
    name: string,
    session: Session,
    output: SiteOutput,
    events: SiteEvents,
  ) {
    this.#options = options;
    this.#name = name;
    this.#session = session;
    this.#output = output;
    this.#events = events;
  }

  /** The fork method that was chosen. */
  get method(): string | undefined {
    return this.#forked?.method;
  }

  /** Whether it is a detached site whose door is on this host. */
  get here(): boolean {
    return this.#forked?.here === true;
  }

  /** Whether it is a thread or a child of this process, and so has this disk. */
  get sharesDisk(): boolean {
    const { method } = this;
    return method === 'virtual' || (method === 'sh' && !process.env.OFFSITE_ENGINE);
  }

  /** Whether something was heard of the site of late. */
  get reachable(): boolean {
    return this.#watch?.reachable ?? true;
  }

  /** The engine's greeting has come. */
  onGreeting(greeting: unknown): void {
    this.#greet?.(greeting);
  }

  /** The link is gone, and so the process is, or soon will be. */
  onDisconnected(cause: Error | undefined): void {
    this.#linkFailure = cause;
    const forked = this.#forked;
    if (!forked || this.death || this.#silent !== undefined) return;
    // Holds the program for this bounded moment: whoever waits for a call must still learn of its end.
    const timer = setTimeout(() => {
      this.#lostLink = true;
      void (forked.leave ? forked.leave() : forked.kill('SIGKILL'));
    }, OUTLIVE_LINK);
    void forked.exited.then(() => clearTimeout(timer));
  }

  start(signal: AbortSignal): Promise<void> {
    this.#starting = this.#start(signal);
    return this.#starting;
  }

  async #start(stopped: AbortSignal): Promise<void> {
    const { timeout, ticket } = this.#options;
    const giveUp = new AbortController();
    const abort = () => giveUp.abort(closedEarly(this.#name));
    if (stopped.aborted) abort();
    stopped.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(() => giveUp.abort(tooLate(this.#name, timeout)), timeout);
    try {
      const forked = await wayTo(this.#options)({
        ...this.#options,
        name: this.#name,
        signal: giveUp.signal,
        onLine: this.#output.onStrayLine,
      });
      this.#forked = forked;
      void forked.exited.then((death) => this.#exited(death));
      await this.#meet(forked, giveUp.signal);
    } catch (failure) {
      this.#session.end(() => failure);
      // What others have started is theirs.
      if (ticket) await this.#forked?.leave?.();
      else await this.#forked?.kill('SIGKILL');
      await this.#forked?.exited;
      throw failure;
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', abort);
    }
  }

  /** Waits for the engine's greeting; rejects if it is not the engine that was asked for, or died. */
  async #meet(forked: ForkedSite, signal: AbortSignal): Promise<void> {
    const greeted = new Promise<void>((resolve, reject) => {
      this.#greet = (said) => {
        try {
          this.#onEngine(said);
          resolve();
        } catch (cause) {
          reject(cause);
        }
      };
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      void forked.exited.then((death) => reject(diedEarly(this.#name, death)));
    });
    // The holder keeps the program alive for a thread or pipe that does not.
    const holder = setInterval(() => {}, FOREVER);
    this.#session.attach(forked.link);
    await greeted.finally(() => clearInterval(holder));
    this.#listen(forked);
  }

  /** Looks at a greeting as it arrives, because answers may lie right behind it; throws ForkError. */
  #onEngine(said: unknown): void {
    let greeting: EngineGreeting;
    try {
      greeting = engineGreeting(said);
    } catch (cause) {
      throw strange(this.#name, (cause as Error).message);
    }
    checkEngine(this.#name, greeting);
    this.greeting = greeting;
  }

  #listen(forked: ForkedSite): void {
    if (!forked.heardAt || this.death) return;
    this.#watch = new ReachWatch({
      ...this.#options,
      heardAt: () => forked.heardAt!(),
      onReach: this.#events.reach,
      onGiveUp: (silent) => this.#giveUp(forked, silent),
    });
    this.#watch.start();
  }

  /** Takes a site for dead that has been out of reach for too long: whatever it still sends is refused from here on. */
  #giveUp(forked: ForkedSite, silent: number): void {
    this.#silent = silent;
    const killed: SiteDeath = { exitCode: null, signal: null, stderr: [] };
    this.#session.end(this.#failureOf({ ...killed, reason: 'unreachable', silent }));
    forked.link.destroy();
    // Holds the program for this bounded moment; one that outlives this process, or does not die, has ended for us too.
    const late = setTimeout(() => this.#exited(killed), OUTLIVE_LINK);
    void forked.exited.then(() => clearTimeout(late));
    void forked.abandon();
  }

  hurry(timeout: number | undefined): void {
    this.#ending.hurry(timeout);
  }

  kill(): void {
    this.#ending.kill();
  }

  /** Asks the site to end, and has the operating system end it if it does not. */
  async end(timeout: number | undefined): Promise<void> {
    try {
      await this.#end(timeout);
    } finally {
      this.#ending.over();
    }
  }

  async #end(timeout: number | undefined): Promise<void> {
    // A start that is being given up ends what it has started by itself.
    await this.#starting?.catch(() => {});
    const forked = this.#forked;
    this.#watch?.stop();
    const closed = this.leaves ? leftFailure(this.#name) : closedFailure(this.#name, this.closeCause);
    if (!forked || this.death) {
      this.#session.end(closed);
      return;
    }
    if (this.leaves && forked.leave) {
      // What was called before has been asked for, though nobody waits for the answers any more.
      await within(forked.link.flushed(), FLUSH_WITHIN);
      this.#session.end(closed);
      await forked.leave();
      return;
    }
    if (!this.#ending.brutal) this.#session.sendClose();
    this.#session.end(closed);
    await this.#ending.press(forked, timeout, () => !this.reachable && !this.#options.detach);
    await this.#sweep(forked);
  }

  /** Ends what user code has started on this host and left behind in the site's group. */
  async #sweep(forked: ForkedSite): Promise<void> {
    if (!this.#options.detach) await forked.sweep();
    forked.link.destroy();
  }

  #exited(died: SiteDeath): void {
    if (this.death) return;
    this.#watch?.stop();
    this.#output.end();
    // What JavaScript printed as errors came over the link.
    const cause = died.cause ?? this.#linkFailure;
    const { outOfMemory, cutOff } = this.#output;
    const death: KnownDeath = {
      ...died,
      stderr: [...this.#output.tail],
      reason: reasonOf(died, { outOfMemory, cutOff, silent: this.#silent }),
      ...(this.#silent !== undefined && { silent: this.#silent }),
      lostLink: this.#lostLink,
      brokeLink: died.cause === undefined && this.#linkFailure !== undefined,
      ...(cause !== undefined && { cause }),
    };
    this.death = death;
    this.#session.end(this.#failureOf(death));
    // What it has started must not outlive it, however it ended.
    if (this.#forked) void this.#sweep(this.#forked);
    this.#events.exited();
  }

  /** What calls reject with once it has died. */
  get failure(): Error | undefined {
    return this.death && this.#failureOf(this.death)(true);
  }

  #failureOf(death: KnownDeath) {
    const { pid } = this.greeting ?? {};
    const who = `${this.#name}${pid ? ` (pid ${pid})` : ''}`;
    return crashed(who, death, this.method === 'virtual');
  }
}

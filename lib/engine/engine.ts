import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { SiteClosedError } from '../wire/errors.ts';
import type { Link } from '../wire/link/link.ts';
import { becomeSite, ownGreeting, type Refusal } from './become-site.ts';
import { closeChildren } from './closers.ts';
import { managerGreeting } from './greetings.ts';
import { runsForeignCode, startLifeline, type Tie, Word } from './lifeline.ts';
import type { Parent } from './loader/loader.ts';
import { captureOutput } from './output.ts';
import { EXIT_ORPHANED, EXIT_REFUSED, HEARTBEAT_EVERY, type ManagerGreeting } from './protocol.ts';
import { SiteService } from './site-service.ts';
import { SiteSession } from './site-session.ts';
import { socketOf } from './ssh-connection.ts';

/** How long the last frames may take to leave, in milliseconds, before the engine ends without them. */
const FLUSH_WITHIN = 1000;

/** How long `require` may wait for the parent's disk, in milliseconds; nothing else happens here meanwhile. */
const ASK_SYNC_FOR = 30_000;

/**
 * A site that is cut off ends after this part of the time that its manager bears it, so that it is gone before the manager
 * starts another one in its place: the rest is for its signs of life to be sent, lost, and sent again.
 */
const ENDS_AT = 0.75;

/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

type Asked = object & Record<string, (...args: unknown[]) => Promise<unknown>>;

/** The program that a site runs: one session with its manager, and what follows from its end. */
export class Engine {
  readonly #link: Link;
  readonly #session: SiteSession;
  /** Shared with the lifeline; see `Word`. */
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  /** Read before anything can happen to the parent; another number later means that it is gone. */
  readonly #ppid = process.ppid;
  /** sshd told where the manager's host is, unless the manager itself had been told. */
  readonly #sshConnection = process.env.SSH_CONNECTION;
  #heartbeat = HEARTBEAT_EVERY;
  #cutOff: Tie['cutOff'];
  #sweeps = false;
  /** Whether the manager's files lie here in the same places. */
  #sameDisk = !isMainThread;
  #leaving = false;

  constructor(link: Link) {
    this.#link = link;
    const parent: Parent = {
      ask: (method, args) => (this.#session.main as Asked)[method]!(...args),
      askSync: (method, args) => this.#session.callSync([method], args, ASK_SYNC_FOR),
    };
    const service = new SiteService(parent, () => this.#sameDisk);
    this.#session = new SiteSession(
      () => this.#tie(),
      'the manager',
      service,
      {
        hello: (greeting) => this.#onGreeting(managerGreeting(greeting)),
        close: () => void this.#close(),
        disconnected: (cause) => this.#orphaned(cause),
      },
      { activity: this.#words, sharesMemory: link.sharesMemory },
    );
    // A site lives until it is closed, whether it has something to do or not.
    setInterval(() => {}, FOREVER);
    captureOutput(this.#session, () => link.waiting);
    this.#session.attach(link);
  }

  #onGreeting(manager: ManagerGreeting): void {
    const refused = this.#prepare(manager);
    this.#session.greet(ownGreeting(refused));
    if (refused) {
      // Calls that came with the greeting were meant for the site that this can't be.
      this.#session.end(() => new SiteClosedError('This engine refused its manager.', false));
      void this.#leave(EXIT_REFUSED);
    } else if (runsForeignCode()) this.#session.tie();
    // A site that nobody calls says that it is alive, too, though not before it is asked to.
    else if (isMainThread) setTimeout(() => this.#session.tie(), this.#heartbeat).unref();
  }

  /** From here on somebody else's code may keep this thread; a worker thread ends with its process anyway. */
  #tie(): void {
    if (!isMainThread) return;
    startLifeline(this.#words, {
      ppid: this.#ppid,
      heartbeat: this.#heartbeat,
      ...(this.#cutOff && { cutOff: this.#cutOff }),
    });
  }

  /** Becomes the site that the manager asked for, or says why it can't. */
  #prepare(manager: ManagerGreeting): Refusal | undefined {
    const { pid, local, limits } = manager;
    const refused = becomeSite(manager);
    if (limits && refused?.step !== 'version') this.#session.limit(limits);
    this.#heartbeat = manager.heartbeat ?? HEARTBEAT_EVERY;
    const { unreachableTimeout: after, sshConnection } = manager;
    const socket = this.#sshConnection === sshConnection ? undefined : socketOf(this.#sshConnection);
    if (socket && after !== undefined) this.#cutOff = { ...socket, after: after * ENDS_AT };
    // A command may lead into a container; the manager's own child has its disk.
    this.#sameDisk ||= local && this.#ppid === pid;
    // On this host the manager ends what is left in the group; over there only the engine can.
    this.#sweeps = isMainThread && this.#ppid !== pid;
    return refused;
  }

  /** The manager asked for the end: children first, then this. */
  async #close(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    await closeChildren();
    await this.#leave(0);
  }

  /** The manager is gone, and so is the way to it. */
  #orphaned(cause: Error | undefined): void {
    // Past the link, which is gone: the manager may still read this, and it is the only trace of what went wrong.
    if (cause) tell(`offsite: the link broke: ${cause.message}\n`);
    this.#session.end(() => new SiteClosedError('The manager of this site is gone.', true));
    Atomics.store(this.#words, Word.leaving, 1);
    // Exit handlers of user code run; the lifeline ends them if they take too long.
    if (isMainThread) process.once('exit', killGroup);
    process.exit(EXIT_ORPHANED);
  }

  async #leave(code: number): Promise<void> {
    Atomics.store(this.#words, Word.leaving, 1);
    const timer = setTimeout(() => process.exit(code), FLUSH_WITHIN);
    await this.#link.flushed();
    clearTimeout(timer);
    if (this.#sweeps) process.once('exit', killGroup);
    process.exit(code);
  }
}

/** Writes to the real stderr, if anybody still reads it. */
const tell = (text: string): void => {
  try {
    writeSync(2, text);
  } catch {
    // Nobody does.
  }
};

/** Ends what user code has started here and left running, if this process leads its group; and itself. */
const killGroup = (): void => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // The group is not ours, or nobody is left in it.
  }
};

import { once } from 'node:events';
import { engineGreeting } from '../../lib/engine/greetings.ts';
import type { EngineGreeting } from '../../lib/engine/protocol.ts';
import { ForkError } from '../../lib/fork/errors.ts';
import type { ForkedSite, SiteDeath } from '../../lib/fork/fork-method.ts';
import { SiteClosedError, SiteCrashedError } from '../../lib/wire/errors.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import type { Session } from '../../lib/wire/session.ts';
import type { SiteLife } from './machine.ts';
import type { CheckedOptions } from './options.ts';
import type { SiteOutput } from './output.ts';
import { wayTo } from './way.ts';

/** How long a site may take to end in order once it was asked, in milliseconds: its children end before it. */
const ASK_FOR = 3_000;
/** How long it may take after SIGTERM, in milliseconds. */
const TERMINATE_FOR = 1_000;
/** How long a process may outlive its link, in milliseconds; then it is stuck or cut off, and of no use. */
const OUTLIVE_LINK = 1_000;
/** How long the last frames for a site that is left alone may take to leave, in milliseconds. */
const FLUSH_WITHIN = 1_000;
/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** Waits for an end, but not longer than a bound in milliseconds; says whether it came. */
const within = async (ended: Promise<unknown>, bound: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, bound, false);
  });
  const came = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return came;
};

const howItEnded = ({ exitCode, signal, cause }: SiteDeath): string => {
  if (cause instanceof Error) return `died of an uncaught ${cause.name}: ${cause.message}`;
  if (signal) return `was ended by ${signal}`;
  return exitCode === null ? 'has ended or closed its connection' : `ended with exit code ${exitCode}`;
};

/** One engine, from the fork to the last trace of its process; its manager's machine says when. */
export class Site implements SiteLife {
  readonly #options: CheckedOptions;
  readonly #name: string;
  readonly #session: Session;
  readonly #output: SiteOutput;
  readonly #onExit: () => void;
  #starting: Promise<void> | undefined;
  #forked: ForkedSite | undefined;
  #greet: ((greeting: unknown) => void) | undefined;
  /** Aborted when asking has taken as long as it may. */
  readonly #hurry = new AbortController();
  #linkFailure: Error | undefined;
  /** What the engine said of itself, once it is ready. */
  greeting: EngineGreeting | undefined;
  /** Whether a detached site is to be left alone when this ends. */
  leaves = false;
  /** How it ended, once it has. */
  death: SiteDeath | undefined;

  constructor(
    options: CheckedOptions,
    name: string,
    session: Session,
    output: SiteOutput,
    onExit: () => void,
  ) {
    this.#options = options;
    this.#name = name;
    this.#session = session;
    this.#output = output;
    this.#onExit = onExit;
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

  /** When the site was last heard, on the clock of `performance.now()`. */
  get heardAt(): number | undefined {
    return this.#forked?.heardAt();
  }

  /** The engine's greeting has come. */
  onGreeting(greeting: unknown): void {
    this.#greet?.(greeting);
  }

  /** The link is gone, and so the process is, or soon will be. */
  onDisconnected(cause: Error | undefined): void {
    this.#linkFailure = cause;
    const forked = this.#forked;
    if (!forked || this.death) return;
    // Holds the program for this bounded moment: whoever waits for a call must still learn of its end.
    const end = () => (forked.leave ? forked.leave() : forked.kill('SIGKILL'));
    const timer = setTimeout(() => void end(), OUTLIVE_LINK);
    void forked.exited.then(() => clearTimeout(timer));
  }

  start(signal: AbortSignal): Promise<void> {
    this.#starting = this.#start(signal);
    return this.#starting;
  }

  async #start(stopped: AbortSignal): Promise<void> {
    const { timeout, ticket } = this.#options;
    const giveUp = new AbortController();
    const abort = () =>
      giveUp.abort(
        new ForkError(this.#name, {
          step: 'aborted',
          what: 'it was closed while it started.',
          remedy: 'Nothing of it is left.',
        }),
      );
    if (stopped.aborted) abort();
    stopped.addEventListener('abort', abort, { once: true });
    const timer = setTimeout(() => giveUp.abort(this.#tooLate()), timeout);
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
    const greeted = new Promise<EngineGreeting>((resolve, reject) => {
      this.#greet = (said) => {
        try {
          resolve(engineGreeting(said));
        } catch (cause) {
          reject(this.#strange((cause as Error).message));
        }
      };
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      void forked.exited.then((death) => reject(this.#diedEarly(death)));
    });
    // The holder keeps the program alive for a thread or pipe that does not.
    const holder = setInterval(() => {}, FOREVER);
    this.#session.attach(forked.link);
    const greeting = await greeted.finally(() => clearInterval(holder));
    if (greeting.refused) {
      const { step, message } = greeting.refused;
      const remedy =
        step === 'cwd'
          ? 'Give the option cwd a folder that exists over there.'
          : 'Install the same version of offsite over there, or let the engine be sent.';
      throw new ForkError(this.#name, {
        step,
        what: message.endsWith('.') ? message : `${message}.`,
        remedy,
      });
    }
    if (greeting.protocol !== PROTOCOL) {
      throw new ForkError(this.#name, {
        step: 'version',
        what: `its engine (Node.js ${greeting.node}) speaks protocol ${greeting.protocol}, this one (Node.js ${process.versions.node}) ${PROTOCOL}.`,
        remedy: 'Install the same version of offsite over there, or let the engine be sent.',
      });
    }
    this.greeting = greeting;
  }

  /** From now on asking may take `timeout` ms at most; the shortest bound that anybody gave wins. */
  hurry(timeout = ASK_FOR): void {
    const bound = timeout >= 0 ? Math.min(timeout, FOREVER) : ASK_FOR;
    const timer = setTimeout(() => this.#hurry.abort(), bound);
    void this.#forked?.exited.then(() => clearTimeout(timer));
  }

  /** Asks the site to end, and has the operating system end it if it does not. */
  async end(timeout = ASK_FOR): Promise<void> {
    // A start that is being given up ends what it has started by itself.
    await this.#starting?.catch(() => {});
    const forked = this.#forked;
    const { leaves } = this;
    const closed = (mayHaveRun: boolean) =>
      new SiteClosedError(
        leaves
          ? `${this.#name} was left alone and lives on; attach to it again to call it${mayHaveRun ? '. This call may have run' : ''}.`
          : mayHaveRun
            ? `${this.#name} was closed before it answered; the call may have run.`
            : `${this.#name} is closed; start a new site.`,
        mayHaveRun,
      );
    if (!forked || this.death) {
      this.#session.end(closed);
      return;
    }
    if (leaves && forked.leave) {
      // What was called before has been asked for, though nobody waits for the answers any more.
      await within(forked.link.flushed(), FLUSH_WITHIN);
      this.#session.end(closed);
      await forked.leave();
      return;
    }
    this.#session.sendClose();
    this.#session.end(closed);
    this.hurry(timeout);
    const hurried = once(this.#hurry.signal, 'abort');
    if (await Promise.race([forked.exited.then(() => true), hurried.then(() => false)]))
      return this.#sweep(forked);
    await forked.kill('SIGTERM');
    if (!(await within(forked.exited, TERMINATE_FOR))) {
      await forked.kill('SIGKILL');
      await within(forked.exited, TERMINATE_FOR);
    }
    await this.#sweep(forked);
  }

  /** Ends what user code has started on this host and left behind in the site's group. */
  async #sweep(forked: ForkedSite): Promise<void> {
    if (!this.#options.detach) await forked.sweep();
    forked.link.destroy();
  }

  #exited(died: SiteDeath): void {
    this.#output.end();
    // What JavaScript printed as errors came over the link.
    const cause = died.cause ?? this.#linkFailure;
    const death = { ...died, stderr: [...this.#output.tail], ...(cause !== undefined && { cause }) };
    this.death = death;
    const { pid } = this.greeting ?? {};
    const who = `${this.#name}${pid ? ` (pid ${pid})` : ''}`;
    this.#session.end((mayHaveRun) => {
      const message = `${who} ${howItEnded(death)}; ${mayHaveRun ? 'the call may have run' : 'the call was not sent'}. Start a new site to go on.`;
      return new SiteCrashedError(message, death, mayHaveRun, cause === undefined ? {} : { cause });
    });
    // What it has started must not outlive it, however it ended.
    if (this.#forked) void this.#sweep(this.#forked);
    this.#onExit();
  }

  #strange(what: string): ForkError {
    return new ForkError(this.#name, {
      step: 'version',
      what: what.replace(/^T/, 't'),
      remedy: 'Install the same version of offsite over there, or let the engine be sent.',
    });
  }

  #tooLate(): ForkError {
    const { timeout } = this.#options;
    return new ForkError(this.#name, {
      step: 'timeout',
      what: `the engine was not ready after ${timeout} ms.`,
      remedy: 'Give the option timeout more, or see what the fork command does when run by hand.',
    });
  }

  #diedEarly(death: SiteDeath): ForkError {
    return new ForkError(this.#name, {
      step: 'engine',
      what: `the engine ${howItEnded(death)} before it was ready.`,
      remedy: 'See what it said, and the option execArgv.',
      ...death,
    });
  }
}

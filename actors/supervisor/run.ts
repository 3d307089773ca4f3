import type { AnyActorLogic, AnyActorRef } from 'xstate';
import { OptionError, TimeoutError } from '../../lib/wire/errors.ts';
import { deferred } from '../remote-manager/deferred.ts';
import type { CheckedSpec, ChildType, Shutdown, StartFunction, Supervised } from './child-spec.ts';
import type { Time } from './clock.ts';
import type { ChildExit } from './exit.ts';
import { type ActorHost, isSite, type Kind, kindOf } from './kinds.ts';

/** How long a start may take, in milliseconds, if its spec does not say: twice what a site may take by itself. */
const START_WITHIN = 60_000;
/** How long a worker may take to end when it was asked to, in milliseconds, as in OTP. */
const SHUTDOWN_WITHIN = 5_000;

/** What a child needs of its supervisor. */
export interface RunHost extends ActorHost {
  readonly time: Time;
  /** Makes an actor below the supervisor's own; it is not started. */
  spawn(logic: AnyActorLogic, spec: CheckedSpec): AnyActorRef;
}

/** What a supervisor learns of a child; both are called at once, where it happens. */
export interface RunEvents {
  up(run: Run): void;
  /** It has ended after it was up, and was not stopped. */
  died(run: Run, exit: ChildExit): void;
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null)?.then === 'function';

/** One life of a child, from its start to its end: a restart makes another one. */
export class Run {
  readonly #spec: CheckedSpec;
  readonly #host: RunHost;
  readonly #events: RunEvents;
  readonly #end = deferred<ChildExit>();
  #kind: Kind | undefined;
  #giveUp: ((cause: unknown) => void) | undefined;
  /** It answers, but may have to be set up. */
  #ready = false;
  #up = false;
  /** It was told to end, or its start has failed: nothing that it does is news any more. */
  #over = false;
  value: Supervised | undefined;
  /** How it ended, once it has. */
  exit: ChildExit | undefined;

  constructor(spec: CheckedSpec, host: RunHost, events: RunEvents) {
    this.#spec = spec;
    this.#host = host;
    this.#events = events;
  }

  /** Whether it ever worked. */
  get wasUp(): boolean {
    return this.#up;
  }

  get type(): ChildType | undefined {
    return this.#spec.type ?? this.#kind?.type;
  }

  /** Starts it and sets it up; rejects with the cause if that fails, or it was stopped before. Stop it then. */
  async begin(args: readonly unknown[]): Promise<void> {
    const { id, startTimeout } = this.#spec;
    const { promise: givenUp, reject } = deferred<never>();
    this.#giveUp = reject;
    const bound = startTimeout ?? START_WITHIN;
    const tooLate = () => {
      // Its own children have their bounds.
      if (startTimeout === undefined && this.type === 'supervisor') return;
      const message = `${id} was not up ${bound} ms after its start; give its spec more startTimeout, or see what its setup waits for.`;
      reject(new TimeoutError(message, bound as number));
    };
    const keep = bound === 'infinity' ? undefined : this.#host.time.after(bound, tooLate, { holds: true });
    try {
      await Promise.race([this.#bringUp(args), givenUp]);
    } finally {
      keep?.();
      this.#giveUp = undefined;
    }
  }

  async #bringUp(args: readonly unknown[]): Promise<void> {
    const { id, start, setup } = this.#spec;
    const given =
      typeof start === 'function'
        ? (start as StartFunction<readonly unknown[]>)(...args)
        : this.#host.spawn(start, args.length > 0 ? { ...this.#spec, input: args[0] } : this.#spec);
    const value = isThenable(given) ? await given : given;
    const kind = kindOf(id, value, this.#host);
    this.value = value;
    this.#kind = kind;
    // Whoever gave this up did not know of it yet.
    if (this.#over) return kind.kill();
    kind.begin((exit) => this.#ended(exit));
    // What ends before it is ready tells here why.
    if (kind.ready) await kind.ready;
    this.#ready = true;
    if (this.#failure) throw this.#failure;
    if (setup) {
      if (!isSite(value)) throw new OptionError('setup', `Only a site has a setup, and ${id} is none.`);
      if (!this.#over) await setup(value);
    }
    if (this.#over) return;
    this.#up = true;
    this.#events.up(this);
    // Not at once, so that a child which is always done at once does not starve the program by its restarts.
    if (this.exit) setImmediate(() => this.#over || this.#events.died(this, this.exit!)).unref();
  }

  #ended(exit: ChildExit): void {
    this.exit = exit;
    this.#end.resolve(exit);
    if (this.#over) return;
    if (this.#up) this.#events.died(this, exit);
    else if (this.#ready && this.#failure) this.#giveUp?.(this.#failure);
  }

  /** Why it ended before it was up, if it did. An actor may be done at once, which is no failure. */
  get #failure(): Error | undefined {
    const { exit } = this;
    if (!exit || (exit.reason === 'normal' && !this.#kind?.ready)) return undefined;
    return exit.cause instanceof Error
      ? exit.cause
      : new Error('It ended while it started.', { cause: exit.cause });
  }

  /**
   * Ends it as the spec says, or else `hurry` does, and resolves when it has ended. Its end is then no news: neither
   * event comes any more.
   */
  async stop(hurry: AbortSignal, shutdown: Shutdown = this.#shutdown()): Promise<void> {
    this.#over = true;
    this.#giveUp?.(new Error('It was stopped while it started.'));
    const kind = this.#kind;
    if (this.exit) return;
    if (!kind) {
      this.exit = { reason: 'shutdown' };
      return;
    }
    const kill = () => kind.kill();
    if (shutdown === 'brutal' || hurry.aborted) {
      kill();
      await this.#end.promise;
      return;
    }
    hurry.addEventListener('abort', kill, { once: true });
    kind.ask();
    // An actor has ended by now.
    const keep =
      shutdown === 'infinity' || this.exit
        ? undefined
        : this.#host.time.after(shutdown, kill, { holds: true });
    await this.#end.promise;
    keep?.();
    hurry.removeEventListener('abort', kill);
  }

  #shutdown(): Shutdown {
    return this.#spec.shutdown ?? (this.type === 'supervisor' ? 'infinity' : SHUTDOWN_WITHIN);
  }
}

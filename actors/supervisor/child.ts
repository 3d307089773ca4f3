import { EventEmitter } from 'node:events';
import type { Functor, FunctorImports } from '../../lib/module/functor-text.ts';
import type { RemoteReference } from '../../lib/module/remote.ts';
import { type CallOptions, checkCallOptions } from '../../lib/wire/call/options.ts';
import { whenAborted } from '../../lib/wire/call/when-aborted.ts';
import { TimeoutError } from '../../lib/wire/errors.ts';
import { stableProxy } from '../../lib/wire/reference/stable-handle.ts';
import type { ModuleTarget } from '../remote-manager/module-target.ts';
import type { LinkOptions } from '../remote-manager/options.ts';
import type { RemoteManager } from '../remote-manager.ts';
import type { CheckedSpec, ChildType, Supervised } from './child-spec.ts';
import type { Time } from './clock.ts';
import { ChildStateError, NoChildError } from './errors.ts';
import type { ChildExit } from './exit.ts';
import { isSite } from './kinds.ts';
import { Linked } from './linked.ts';
import type { Run } from './run.ts';

/** The longest time that Node's timers take, in milliseconds. */
const FOREVER = 2 ** 31 - 1;

/**
 * Where a child stands: `starting` for the first time, `up`, dead and `restarting`, `stopping`; `down` until somebody
 * restarts it by hand; `gone` from its supervisor, for good.
 */
export type ChildState = 'starting' | 'up' | 'restarting' | 'stopping' | 'down' | 'gone';

interface ChildEvents<T> {
  /** It works, for the first time or again. */
  up: [current: T];
  /** It worked and does not any more; whether it comes back, `state` says. */
  down: [exit: ChildExit];
  /** It has left its supervisor, and never comes back. */
  gone: [];
}

/** A listener that throws must fail its owner, and not the supervisor that is at work. */
const emit = (work: () => void): void => {
  try {
    work();
  } catch (cause) {
    queueMicrotask(() => {
      throw cause;
    });
  }
};

/** What a supervisor knows of one child, through all its lives. */
export class ChildRecord {
  readonly spec: CheckedSpec;
  readonly args: readonly unknown[];
  readonly time: Time;
  /** The life that it leads now; another one's end is no news. */
  run: Run | undefined;
  /** Takes back the restart that waits. */
  cancel: (() => void) | undefined;
  /** Resolves when the end that was asked for has come. */
  stopping: Promise<void> | undefined;
  restarts = 0;
  /** Restarts since it was last up for long, which the backoff grows with. */
  tries = 0;
  upSince: number | undefined;
  type: ChildType;
  /** Whether what it was last is a site. */
  wasSite = false;
  /** How it ended last. */
  exit: ChildExit | undefined;
  readonly emitter = new EventEmitter<ChildEvents<Supervised> & { state: [] }>().setMaxListeners(0);
  readonly child: Child<never> = new Child<never>(this);
  #state: ChildState = 'starting';

  constructor(spec: CheckedSpec, time: Time, args: readonly unknown[] = []) {
    this.spec = spec;
    this.args = args;
    this.time = time;
    this.type = spec.type ?? 'worker';
  }

  get state(): ChildState {
    return this.#state;
  }

  set state(state: ChildState) {
    if (this.#move(state) && state === 'gone') emit(() => this.emitter.emit('gone'));
  }

  /** Says whether that is news. */
  #move(state: ChildState): boolean {
    if (state === this.#state || this.#state === 'gone') return false;
    this.#state = state;
    this.emitter.emit('state');
    return true;
  }

  up(run: Run): void {
    this.type = run.type ?? this.type;
    this.wasSite = isSite(run.value!);
    this.upSince = this.time.now();
    this.state = 'up';
    emit(() => this.emitter.emit('up', run.value!));
  }

  /** It has ended, and what comes now is `state`. */
  down(exit: ChildExit, state: ChildState): void {
    this.exit = exit;
    this.upSince = undefined;
    this.#move(state);
    emit(() => this.emitter.emit('down', exit));
    if (state === 'gone') emit(() => this.emitter.emit('gone'));
  }
}

/** How long, and for what, is waited. */
export interface WaitOptions<T> extends CallOptions {
  /** Not for this one. @default any */
  except?: T;
}

/** A supervisor's child, which stays the same object through all restarts of what it stands for. */
export class Child<T extends Supervised = RemoteManager> {
  readonly #record: ChildRecord;

  constructor(record: ChildRecord) {
    this.#record = record;
  }

  get id(): string {
    return this.#record.spec.id;
  }

  get state(): ChildState {
    return this.#record.state;
  }

  get type(): ChildType {
    return this.#record.type;
  }

  /** How often it was started again, failed attempts included. */
  get restarts(): number {
    return this.#record.restarts;
  }

  /** The manager, supervisor or actor that it is now, while it is up. */
  get current(): T | undefined {
    return this.state === 'up' ? (this.#record.run!.value as T) : undefined;
  }

  /** How it ended last, if it ever has. */
  get exit(): ChildExit | undefined {
    return this.#record.exit;
  }

  /**
   * Resolves to `current` when it is up, at once if it is. Rejects with ChildStateError if nothing will start it by
   * itself, NoChildError once it is gone, TimeoutError, or the signal's reason. Waiting holds the program. `except` is one
   * of which its caller knows that it is dead: a site's calls reject a moment before its process is gone.
   */
  whenUp({ timeout, signal, except }: WaitOptions<T> = {}): Promise<T> {
    const record = this.#record;
    return new Promise<T>((resolve, reject) => {
      checkCallOptions({ timeout, signal });
      signal?.throwIfAborted();
      const isUp = () => record.state === 'up' && this.current !== except;
      if (isUp()) return resolve(this.current!);
      const clean: (() => void)[] = [];
      const end = (settle: () => void) => {
        for (const each of clean) each();
        settle();
      };
      const look = () => {
        if (isUp()) end(() => resolve(this.current!));
        else if (record.state === 'down' || record.state === 'gone') end(() => reject(this.#notUp()));
      };
      const hold = setInterval(() => {}, FOREVER);
      clean.push(() => clearInterval(hold));
      record.emitter.on('state', look);
      clean.push(() => record.emitter.off('state', look));
      if (timeout !== undefined) {
        const late = () => end(() => reject(this.#late(timeout)));
        clean.push(record.time.after(timeout, late, { holds: true }));
      }
      if (signal) clean.push(whenAborted(signal, () => end(() => reject(signal.reason))));
      look();
    });
  }

  /**
   * A module in this child's site, as a proxy that goes on working when the site is started again: it is linked in each.
   * Calls that were under way when a site died reject, with `mayHaveRun`; those made while there is none wait for the next
   * one, 60 s or as long as `withOptions(proxy, { timeout })` says, and `{ retry }` makes those that died again.
   */
  link<M extends object>(
    this: Child<RemoteManager>,
    target: ModuleTarget,
    options?: LinkOptions,
  ): RemoteReference<M> {
    return stableProxy(new Linked(this, (site) => site.link<M>(target, options))) as RemoteReference<M>;
  }

  /** A functor's module in this child's site, as with `link`: the functor is applied anew in each. */
  apply<I extends FunctorImports, M extends object>(
    this: Child<RemoteManager>,
    functor: Functor<I, M>,
    base?: ModuleTarget,
  ): RemoteReference<M> {
    return stableProxy(new Linked(this, (site) => site.apply(functor, base))) as RemoteReference<M>;
  }

  /** Measures a round trip, in milliseconds, when the site is up; rejects as `whenUp` and `RemoteManager.ping` do. */
  async ping(this: Child<RemoteManager>, options: CallOptions = {}): Promise<number> {
    const site = this.current ?? (await this.whenUp(options));
    return site.ping(options);
  }

  /** Calls `listener` each time it happens; what was before is in `state`. */
  on<E extends keyof ChildEvents<T>>(event: E, listener: (...args: ChildEvents<T>[E]) => void): this {
    this.#record.emitter.on(event as never, listener as never);
    return this;
  }

  /** Takes a listener back. */
  off<E extends keyof ChildEvents<T>>(event: E, listener: (...args: ChildEvents<T>[E]) => void): this {
    this.#record.emitter.off(event as never, listener as never);
    return this;
  }

  #late(timeout: number): TimeoutError {
    const message = `${this.id} was not up within ${timeout} ms, it is ${this.state}. Give it more time, or see how it ended last.`;
    return new TimeoutError(message, timeout, { cause: this.exit?.cause });
  }

  #notUp(): Error {
    const { id, state, exit } = this;
    const options = exit?.cause === undefined ? {} : { cause: exit.cause };
    if (state === 'gone')
      return new NoChildError(
        id,
        `${id} is no child of its supervisor any more: it was deleted, has ended for good, or its supervisor has ended. See supervisor.ended, or start a new child.`,
        options,
      );
    const how = exit ? ` (it ended: ${exit.reason})` : '';
    const message = `${id} is down${how} and is not started by itself. Start it with restartChild('${id}').`;
    return new ChildStateError('DOWN', id, message, options);
  }
}

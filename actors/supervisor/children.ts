import { setMaxListeners } from 'node:events';
import type { AnyActorLogic, AnyActorRef } from 'xstate';
import { backoffDelay } from './backoff.ts';
import { ChildRecord } from './child.ts';
import type { CheckedSpec } from './child-spec.ts';
import { Time } from './clock.ts';
import { ChildStartError, IntensityError, SupervisorClosedError } from './errors.ts';
import { type ChildExit, isAbnormal, type SupervisorExit } from './exit.ts';
import { RestartWindow } from './intensity.ts';
import type { ActorHost } from './kinds.ts';
import type { SupervisorLife } from './machine.ts';
import type { CheckedSupervisorOptions } from './options.ts';
import { Run, type RunEvents, type RunHost } from './run.ts';
import { affectedBy, restartsGroups } from './strategy.ts';

/** What the children need of their supervisor. */
export interface Overseer extends ActorHost {
  readonly name: string;
  /** Makes an actor below the supervisor's own. */
  spawn(logic: AnyActorLogic, spec: CheckedSpec): AnyActorRef;
  /** The supervisor is to end. */
  giveUp(exit: SupervisorExit): void;
  up(record: ChildRecord): void;
  down(record: ChildRecord, exit: ChildExit): void;
}

/**
 * The children of a supervisor, in the order of their start: what OTP's supervisor does when they are started, die and
 * are stopped.
 *
 * Where children depend on each other (one_for_all, rest_for_one) one thing is done at a time, as in OTP: deaths and
 * requests wait for their turn. Where they don't, each is looked after by itself, so that one on a slow host keeps
 * nobody waiting. Only the end of the supervisor never waits for a turn.
 */
export class Children implements SupervisorLife {
  readonly options: CheckedSupervisorOptions;
  readonly overseer: Overseer;
  readonly records: ChildRecord[] = [];
  readonly time: Time;
  readonly #window: RestartWindow;
  readonly #host: RunHost;
  readonly #events: RunEvents = {
    up: (run) => this.#up(run),
    died: (run, exit) => this.#died(run, exit),
  };
  /** Whose life a run is. */
  readonly #owners = new WeakMap<Run, ChildRecord>();
  /** Aborted when the end of the children has taken as long as it may. */
  readonly #hurry = new AbortController();
  /** The last thing that waits for its turn; the first is the start. */
  #turn: Promise<unknown> = Promise.resolve();
  #started = false;
  #ending = false;
  /** Takes back the restart of a group that waits. */
  #cancelGroup: (() => void) | undefined;
  readonly #hurries: (() => void)[] = [];

  constructor(options: CheckedSupervisorOptions, overseer: Overseer) {
    // One signal for all children is what it is for.
    setMaxListeners(0, this.#hurry.signal);
    this.options = options;
    this.overseer = overseer;
    this.time = new Time(options.clock);
    this.#window = new RestartWindow(options.intensity, options.period, () => this.time.now());
    this.#host = {
      time: this.time,
      spawn: (logic, spec) => overseer.spawn(logic, spec),
      owns: (ref) => overseer.owns(ref),
      stop: (ref) => overseer.stop(ref),
    };
    if (options.strategy === 'simple_one_for_one') return;
    for (const spec of options.children) this.records.push(new ChildRecord(spec, this.time));
  }

  /** Whether the supervisor ends, or has ended. */
  get ending(): boolean {
    return this.#ending;
  }

  start(): Promise<void> {
    const started = this.#start();
    this.#turn = started.catch(() => {});
    return started;
  }

  async #start(): Promise<void> {
    for (const record of [...this.records]) await this.begin(record);
    this.#started = true;
  }

  /**
   * Does something to the children when it is its turn. Rejects with SupervisorClosedError if the supervisor ends before
   * or meanwhile.
   */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const checked = async () => {
      if (this.#ending) throw this.closed();
      try {
        return await work();
      } catch (cause) {
        throw this.#ending ? this.closed(cause) : cause;
      }
    };
    if (this.#started && !restartsGroups(this.options.strategy)) return checked();
    const result = this.#turn.then(checked);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Starts a child, and resolves when it is up; rejects with ChildStartError, and then nothing of it is left. */
  async begin(record: ChildRecord): Promise<void> {
    if (this.#ending) throw this.closed();
    const { id } = record.spec;
    const run = new Run(record.spec, this.#host, this.#events);
    this.#owners.set(run, record);
    record.run = run;
    try {
      await run.begin(record.args);
    } catch (cause) {
      await run.stop(this.#hurry.signal, 'brutal');
      if (record.run === run) record.run = undefined;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ChildStartError(id, `${id} of ${this.overseer.name} could not be started: ${why}`, { cause });
    }
  }

  /** Ends a child that runs, or takes back its start or restart; resolves when it has ended. */
  async end(record: ChildRecord, then: 'down' | 'gone' | 'restarting'): Promise<void> {
    record.cancel?.();
    record.cancel = undefined;
    if (record.stopping) await record.stopping;
    const { run } = record;
    // From here on its end is no news.
    record.run = undefined;
    if (run && !run.exit) {
      record.state = 'stopping';
      record.stopping = run.stop(this.#hurry.signal);
      await record.stopping;
      record.stopping = undefined;
    }
    // One that had died was told of already.
    if (record.state === 'stopping' && run?.wasUp) {
      record.down(run.exit!, then);
      this.overseer.down(record, run.exit!);
    } else record.state = then;
    if (then === 'gone') this.remove(record);
  }

  /** Forgets a child that does not run. */
  remove(record: ChildRecord): void {
    const at = this.records.indexOf(record);
    if (at >= 0) this.records.splice(at, 1);
    record.state = 'gone';
  }

  #up(run: Run): void {
    const record = this.#owners.get(run)!;
    record.up(run);
    this.overseer.up(record);
  }

  #died(run: Run, exit: ChildExit): void {
    const record = this.#owners.get(run)!;
    if (record.run !== run) return;
    const { backoff } = this.options;
    if (backoff && this.time.now() - record.upSince! >= backoff.max) record.tries = 0;
    record.down(exit, this.#restarts(record, exit) ? 'restarting' : 'down');
    this.overseer.down(record, exit);
    void this.inTurn(async () => this.#judge(record, run, exit)).catch(() => {});
  }

  #restarts({ spec }: ChildRecord, exit: ChildExit): boolean {
    return spec.restart === 'permanent' || (spec.restart === 'transient' && isAbnormal(exit));
  }

  /** What follows from a child's end. */
  #judge(record: ChildRecord, run: Run, exit: ChildExit): void | Promise<void> {
    // It was restarted or stopped with others before it was its turn.
    if (record.run !== run) return;
    record.run = undefined;
    if (this.#restarts(record, exit)) return this.#restart(record, false);
    if (this.forgets(record)) this.remove(record);
    if (record.spec.significant) this.#judgeSignificant();
  }

  /** Whether nothing is kept of a child once it has ended for good. */
  forgets({ spec }: ChildRecord): boolean {
    return spec.restart === 'temporary' || this.options.strategy === 'simple_one_for_one';
  }

  #judgeSignificant(): void {
    const { autoShutdown } = this.options;
    if (autoShutdown === 'never') return;
    const left = this.records.some(({ spec, state }) => spec.significant && state !== 'down');
    if (autoShutdown === 'any_significant' || !left) this.#giveUp({ reason: 'auto-shutdown' });
  }

  #giveUp(exit: SupervisorExit): void {
    this.#ending = true;
    this.overseer.giveUp(exit);
  }

  /** Starts a dead child again, with those that the strategy says; `again` if the last attempt has failed. */
  #restart(record: ChildRecord, again: boolean): void | Promise<void> {
    const { intensity, period, strategy, backoff, random } = this.options;
    if (!this.#window.allows()) {
      const message = `${this.overseer.name} gave up: ${record.spec.id} would have been restart ${intensity + 1} within ${period} ms, and its intensity is ${intensity}. See how the child ended, or allow more.`;
      this.#giveUp({
        reason: 'intensity',
        cause: new IntensityError(record.spec.id, message, { cause: record.exit?.cause }),
      });
      return;
    }
    record.state = 'restarting';
    const delay = backoff ? backoffDelay(backoff, record.tries++, random) : 0;
    if (restartsGroups(strategy)) return this.#restartGroup(record, delay, again);
    record.cancel = this.#later(delay, again, () => {
      record.cancel = undefined;
      void this.#restartOne(record);
    });
  }

  /**
   * Does it after the backoff, or at once. A repeated attempt lets everything else have its turn first: a start that
   * fails at once would starve the program.
   */
  #later(delay: number, again: boolean, work: () => void): (() => void) | undefined {
    if (delay > 0) return this.time.after(delay, work, { holds: false });
    if (again) {
      const immediate = setImmediate(work);
      return () => clearImmediate(immediate);
    }
    work();
    return undefined;
  }

  async #restartOne(record: ChildRecord): Promise<void> {
    record.restarts++;
    try {
      await this.begin(record);
    } catch (cause) {
      this.#failedAgain(record, cause);
      // Terminated meanwhile, or the supervisor ends.
      if (this.#ending || record.state !== 'restarting' || record.run) return;
      await this.#restart(record, true);
    }
  }

  #failedAgain(record: ChildRecord, cause: unknown): void {
    if (record.state === 'restarting') record.exit = { reason: 'crashed', cause };
  }

  /** Ends those that are restarted with a child, and starts them all again; it is this group's turn. */
  async #restartGroup(died: ChildRecord, delay: number, again: boolean): Promise<void> {
    this.#cancelGroup?.();
    this.#cancelGroup = undefined;
    for (const record of affectedBy(this.options.strategy, this.records, died).toReversed()) {
      // A temporary one is never started again.
      if (record !== died) await this.end(record, this.forgets(record) ? 'gone' : 'restarting');
      if (this.#ending) return;
    }
    if (delay === 0 && !again) return this.#startGroup();
    this.#cancelGroup = this.#later(delay, again, () => {
      this.#cancelGroup = undefined;
      void this.inTurn(() => this.#startGroup()).catch(() => {});
    });
  }

  async #startGroup(): Promise<void> {
    for (const record of [...this.records]) {
      if (record.state !== 'restarting' || record.run) continue;
      record.restarts++;
      try {
        await this.begin(record);
      } catch (cause) {
        if (this.#ending) return;
        this.#failedAgain(record, cause);
        return this.#restart(record, true);
      }
    }
  }

  hurry(timeout: number | undefined): void {
    if (timeout === undefined || this.#hurry.signal.aborted) return;
    this.#hurries.push(this.time.after(timeout, () => this.#hurry.abort(), { holds: false }));
  }

  async stop(timeout: number | undefined): Promise<void> {
    this.#ending = true;
    this.#cancelGroup?.();
    this.hurry(timeout);
    const last = [...this.records].reverse();
    // Those of one template depend on nobody, as in OTP.
    if (this.options.strategy === 'simple_one_for_one') {
      await Promise.all(last.map((record) => this.end(record, 'gone')));
    } else for (const record of last) await this.end(record, 'gone');
    for (const cancel of this.#hurries) cancel();
  }

  closed(cause?: unknown): SupervisorClosedError {
    return new SupervisorClosedError(`${this.overseer.name} is closed or ends; make a new supervisor.`, {
      cause,
    });
  }
}

import { setMaxListeners } from 'node:events';
import type { AnyActorLogic, AnyActorRef } from 'xstate';
import { ChildRecord } from './child.ts';
import type { CheckedSpec } from './child-spec.ts';
import { Time } from './clock.ts';
import { ChildStartError, SupervisorClosedError } from './errors.ts';
import { type ChildExit, isAbnormal, type SupervisorExit } from './exit.ts';
import type { ActorHost } from './kinds.ts';
import type { SupervisorLife } from './machine.ts';
import type { CheckedSupervisorOptions } from './options.ts';
import { type Restartable, Restarts } from './restarts.ts';
import { Run, type RunEvents, type RunHost } from './run.ts';
import { restartsGroups } from './strategy.ts';

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
export class Children implements SupervisorLife, Restartable {
  readonly options: CheckedSupervisorOptions;
  readonly overseer: Overseer;
  readonly records: ChildRecord[] = [];
  readonly time: Time;
  readonly #restarts: Restarts;
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
  readonly #hurries: (() => void)[] = [];

  constructor(options: CheckedSupervisorOptions, overseer: Overseer) {
    // One signal for all children is what it is for.
    setMaxListeners(0, this.#hurry.signal);
    this.options = options;
    this.overseer = overseer;
    this.time = new Time(options.clock);
    this.#restarts = new Restarts(this);
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
    record.down(exit, this.#comesBack(record, exit) ? 'restarting' : 'down');
    this.overseer.down(record, exit);
    void this.inTurn(async () => this.#judge(record, run, exit)).catch(() => {});
  }

  #comesBack({ spec }: ChildRecord, exit: ChildExit): boolean {
    return spec.restart === 'permanent' || (spec.restart === 'transient' && isAbnormal(exit));
  }

  /** What follows from a child's end. */
  #judge(record: ChildRecord, run: Run, exit: ChildExit): void | Promise<void> {
    // It was restarted or stopped with others before it was its turn.
    if (record.run !== run) return;
    record.run = undefined;
    if (this.#comesBack(record, exit)) return this.#restarts.restart(record);
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
    if (autoShutdown === 'any_significant' || !left) this.giveUp({ reason: 'auto-shutdown' });
  }

  /** The supervisor ends: nothing is started any more. */
  giveUp(exit: SupervisorExit): void {
    this.#ending = true;
    this.overseer.giveUp(exit);
  }

  hurry(timeout: number | undefined): void {
    if (timeout === undefined || this.#hurry.signal.aborted) return;
    this.#hurries.push(this.time.after(timeout, () => this.#hurry.abort(), { holds: false }));
  }

  async stop(timeout: number | undefined): Promise<void> {
    this.#ending = true;
    this.#restarts.cancel();
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

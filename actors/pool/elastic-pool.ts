import { type Actor, createActor } from 'xstate';
import type { Member } from '../../lib/cluster/member.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { type Backoff, backoffDelay } from '../supervisor/backoff.ts';
import { type SupervisorClock, Time } from '../supervisor/clock.ts';
import { type ElasticLife, elasticMachine } from './elastic-machine.ts';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

/** How an elastic pool gets its workers, and gives them up. */
export interface WorkerSource {
  /** Adds so many and gives their ids; rejects if it can't, and then may have added fewer. */
  add(count: number): PromiseLike<readonly number[]>;
  remove(ids: readonly number[]): PromiseLike<unknown>;
}

/** How an elastic pool grows and shrinks. */
export interface ElasticPoolOptions extends Pick<WorkerPoolOptions, 'maxQueued'> {
  /** It never has fewer workers: those that die are replaced. @default 0 */
  readonly min?: number;
  /** It never has more. */
  readonly max: number;
  /** How long a worker is idle before it is removed, in milliseconds. @default 60000 */
  readonly idleTimeout?: number;
  /** How long the next ones wait after some did not come or have died. @default as a supervisor's */
  readonly backoff?: Backoff;
  /** Is told who has come. */
  readonly onGrow?: (ids: readonly number[]) => void;
  /** Is told who was removed. */
  readonly onShrink?: (ids: readonly number[]) => void;
  /** Is told who has died. */
  readonly onLost?: (id: number) => void;
  /** Is told why workers did not come, or could not be removed. @default a warning of the process */
  readonly onFailure?: (error: unknown) => void;
  /** What all waits use. @default the time of this process */
  readonly clock?: SupervisorClock;
  /** Gives chance from 0 to 1, for the jitter. @default Math.random */
  readonly random?: () => number;
}

const BACKOFF: Required<Backoff> = { initial: 100, max: 30_000, factor: 2, jitter: 0.5 };

const warn = (error: unknown) => {
  process.emitWarning(`An elastic pool could not have its way: ${String(error)}`, {
    code: 'OFFSITE_ELASTIC_POOL',
  });
};

/**
 * A pool that adds workers while somebody waits for one, removes those that are idle, and replaces those that die. It
 * owns what it has added: `await using` removes them. Throws OptionError.
 */
export class ElasticPool extends WorkerPool implements AsyncDisposable {
  /** The state machine behind this, for those who want to observe it; it is not to be sent events. */
  readonly actor: Actor<typeof elasticMachine>;
  readonly #source: WorkerSource;
  readonly #options: Required<Omit<ElasticPoolOptions, 'clock' | 'maxQueued' | 'backoff'>>;
  readonly #backoff: Required<Backoff>;
  readonly #time: Time;
  #unlisten: () => void;
  /** Whether its cluster is closed: then its workers are ended by that. */
  readonly #over: () => boolean;
  /** What it has added, and is to remove. */
  readonly #added = new Set<number>();
  /** Since when those are free that nobody has. */
  readonly #idleSince = new Map<number, number>();
  #failures = 0;
  #failedAt = 0;
  #closed = false;
  #growing: Promise<void> | undefined;

  constructor(member: Member, source: WorkerSource, options: ElasticPoolOptions) {
    const { min = 0, max, idleTimeout = 60_000, clock, maxQueued, backoff } = options;
    const whole = (value: number) => Number.isSafeInteger(value) && value >= 0;
    if (!whole(min)) throw new OptionError('min', `min is a whole number from 0 on, not ${String(min)}.`);
    if (!whole(max) || max < Math.max(1, min)) {
      throw new OptionError('max', `max is a whole number from 1 and min on, not ${String(max)}.`);
    }
    if (!(idleTimeout >= 0)) {
      throw new OptionError('idleTimeout', `idleTimeout is a number of ms, not ${String(idleTimeout)}.`);
    }
    super(member, [], maxQueued === undefined ? {} : { maxQueued });
    this.#source = source;
    this.#backoff = { ...BACKOFF, ...backoff };
    this.#options = {
      min,
      max,
      idleTimeout,
      onGrow: options.onGrow ?? (() => {}),
      onShrink: options.onShrink ?? (() => {}),
      onLost: options.onLost ?? (() => {}),
      onFailure: options.onFailure ?? warn,
      random: options.random ?? Math.random,
    };
    this.#time = new Time(clock);
    this.actor = createActor(elasticMachine, { input: this.#life(), ...(clock && { clock }) });
    this.#unlisten = member.onLeave((id) => {
      if (!this.#added.delete(id) || this.#closed) return;
      this.#failed();
      this.#options.onLost(id);
      this.onDemand();
    });
    // With its cluster it is over, whoever made it.
    const unclose = member.onClose(() => void this.close());
    const unleave = this.#unlisten;
    this.#unlisten = () => {
      unleave();
      unclose();
    };
    this.#over = () => member.closed;
    this.actor.start();
  }

  /** Removes all workers that it has added; who waits gets NoWorkerError. Can be called again; never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlisten();
    this.actor.send({ type: 'close' });
    this.rejectWaiters();
    // Those that are on their way are removed when they have come.
    await this.#growing;
    if (!this.#over()) await this.#remove([...this.#added]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override get expectsWorkers(): boolean {
    return !this.#closed;
  }

  protected override onDemand(): void {
    const now = this.#time.now();
    const free = new Set(this.free);
    for (const id of this.#idleSince.keys()) if (!free.has(id)) this.#idleSince.delete(id);
    for (const id of free) if (!this.#idleSince.has(id)) this.#idleSince.set(id, now);
    // Only what changes its mind goes to the machine, and not each call.
    if (!this.#closed && this.#lacking > 0) this.actor.send({ type: 'demand' });
  }

  get #lacking(): number {
    const { min, max } = this.#options;
    const { length } = this;
    return Math.min(max - length, Math.max(min - length, this.queued));
  }

  #life(): ElasticLife {
    return {
      lacks: () => this.#lacking > 0,
      troubled: () => {
        this.#forgive();
        return this.#failures > 0;
      },
      restFor: () => backoffDelay(this.#backoff, this.#failures - 1, this.#options.random),
      lookAfter: () => {
        const oldest = Math.min(...this.#idleSince.values(), this.#time.now());
        return Math.max(1, oldest + this.#options.idleTimeout - this.#time.now());
      },
      grow: () => {
        this.#growing = this.#grow();
        return this.#growing;
      },
      shrink: () => this.#shrink(),
    };
  }

  /** What has gone well for as long as the longest wait begins anew. */
  #forgive(): void {
    if (this.#time.now() - this.#failedAt > this.#backoff.max) this.#failures = 0;
  }

  #failed(): void {
    this.#forgive();
    this.#failures++;
    this.#failedAt = this.#time.now();
  }

  async #grow(): Promise<void> {
    const count = this.#lacking;
    if (count <= 0) return;
    try {
      const ids = await this.#source.add(count);
      for (const id of ids) this.#added.add(id);
      if (this.#closed) {
        await this.#remove(ids);
        return;
      }
      this.#options.onGrow(ids);
      for (const id of ids) this.push(id);
    } catch (error) {
      this.#failed();
      // What was on its way when the cluster was closed is nobody's concern.
      if (!this.#closed) this.#options.onFailure(error);
    }
  }

  async #shrink(): Promise<void> {
    const { min, idleTimeout } = this.#options;
    const since = this.#time.now() - idleTimeout;
    const idle = [...this.#idleSince].filter(([id, at]) => at <= since && this.#added.has(id));
    const ids = idle.slice(0, Math.max(0, this.length - min)).map(([id]) => id);
    // Those that stay are not looked at again at once.
    for (const [id] of idle.slice(ids.length)) this.#idleSince.set(id, this.#time.now());
    if (ids.length > 0 && (await this.#remove(ids))) this.#options.onShrink(ids);
  }

  async #remove(ids: readonly number[]): Promise<boolean> {
    // From here on nobody gets them, and their end is no loss.
    for (const id of ids) {
      this.#added.delete(id);
      this.#idleSince.delete(id);
      this.remove(id);
    }
    try {
      if (ids.length > 0) await this.#source.remove(ids);
      return true;
    } catch (error) {
      this.#options.onFailure(error);
      return false;
    }
  }
}

import { ProcessExitedException, RemoteException } from '../../lib/cluster/errors.ts';
import type { Member } from '../../lib/cluster/member.ts';
import type { BatchOutcome, MemberService } from '../../lib/cluster/protocol.ts';
import type { Remote } from '../../lib/module/remote.ts';
import { LimitError, UnserializableError } from '../../lib/wire/errors.ts';
import type { PoolAccess } from './access.ts';
import type { Elements } from './elements.ts';
import { NoWorkerError } from './errors.ts';
import { Pace } from './pace.ts';
import { type Progress, ProgressReports } from './progress.ts';
import type { Retries } from './retry.ts';

/** Where the results of a map go. */
export interface Results {
  /** How many more elements may be begun. */
  room(): number;
  /** So many more were begun. */
  begin(count: number): void;
  put(index: number, value: unknown): void;
}

/** One map, with all that was said of it. */
export interface MapJob {
  readonly member: Member;
  /** The pool whose workers do it; without one this process does. */
  readonly pool: PoolAccess | undefined;
  readonly elements: Elements;
  readonly results: Results;
  /** Has a process do some elements, and begin no further one when `within` ms have passed. */
  readonly perform: (
    peer: Remote<MemberService>,
    elements: readonly unknown[],
    within: number | undefined,
  ) => PromiseLike<BatchOutcome>;
  readonly batchSize: number | 'auto';
  /** How many batches a worker has in hand at once; without a word as many as its pace asks for. */
  readonly concurrency: number | undefined;
  readonly retries: Retries;
  readonly onError: ((error: unknown, element: unknown, index: number) => unknown) | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

/** Elements that follow one another. */
interface Batch {
  readonly start: number;
  readonly elements: readonly unknown[];
  /** How often they were tried before. */
  readonly attempts: number;
  /** They were lost with a worker, perhaps by their own fault: no others are beside them. */
  readonly alone: boolean;
}

/** A worker that this map has at the moment. */
class Lane {
  readonly id: number;
  readonly pace: Pace;
  inFlight = 0;
  answeredAt = 0;
  /** It does what may have killed another worker, and nothing beside that. */
  alone = false;
  /** It has had something to do since it was taken from the pool. */
  used = false;
  /** It is gone. */
  lost = false;

  constructor(id: number, pace: Pace) {
    this.id = id;
    this.pace = pace;
  }
}

/**
 * A map that runs: it takes workers from its pool while there is something to do, gives each some elements at a time, and
 * puts it back when others wait for it or nothing is left. All happens at events, and each element is in one place only:
 * not read yet, in a batch at one worker, waiting for another attempt, or done.
 */
export class MapRun {
  /** Resolves when all is done, rejects with what ended it before. Then nothing of it is on its way any more. */
  readonly ended: Promise<void>;
  readonly #job: MapJob;
  readonly #stopping = new AbortController();
  readonly #lanes = new Map<number, Lane>();
  readonly #paces = new Map<number, Pace>();
  readonly #again: Batch[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #progress: ProgressReports | undefined;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #next = 0;
  /** Elements that were read and have no result yet. */
  #open = 0;
  #done = 0;
  #failed = 0;
  #leasing: AbortController | undefined;
  #over = false;
  #lastDeath: unknown;

  constructor(job: MapJob) {
    this.#job = job;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended.catch(() => {});
    this.#progress =
      job.onProgress &&
      new ProgressReports(job.onProgress, () => ({
        done: this.#done,
        total: job.elements.total,
        failed: this.#failed,
        busy: [...this.#lanes.values()].filter(({ inFlight }) => inFlight > 0).length,
      }));
  }

  /** Begins, or goes on because there is something new: elements, or room for results. */
  go(): void {
    if (this.#over) return;
    try {
      for (const lane of [...this.#lanes.values()]) this.#fill(lane);
      this.#hire();
    } catch (error) {
      this.stop(error);
      return;
    }
    if (!this.#over && this.#open === 0 && this.#job.elements.exhausted) this.#end();
  }

  /** Ends it: what is in flight is given up. */
  stop(error: unknown): void {
    if (this.#over) return;
    this.#stopping.abort(error);
    this.#end(error);
  }

  #end(...error: [] | [unknown]): void {
    this.#over = true;
    this.#leasing?.abort(new Error('The map is over.'));
    for (const timer of this.#timers) clearTimeout(timer);
    this.#job.elements.close();
    for (const lane of this.#lanes.values()) this.#dismiss(lane);
    try {
      this.#progress?.end();
    } catch (thrown) {
      error = error.length > 0 ? error : [thrown];
    }
    if (error.length > 0) this.#reject(error[0]);
    else this.#resolve();
  }

  /** Takes one more worker, if there is something that it could do. */
  #hire(): void {
    if (this.#over || this.#leasing) return;
    const { pool, member } = this.#job;
    if (!pool) {
      if (!this.#lanes.has(member.id) && this.#hasWork()) this.#begin(member.id);
      return;
    }
    if (!this.#hasWork()) return;
    const leasing = new AbortController();
    this.#leasing = leasing;
    pool.lease(leasing.signal).then(
      (id) => {
        this.#leasing = undefined;
        if (this.#over) pool.put(id);
        else {
          this.#begin(id);
          this.go();
        }
      },
      (error: unknown) => {
        this.#leasing = undefined;
        // Without workers nothing goes on but what is in the hands of those that were taken out of the pool.
        if (this.#over || (error instanceof NoWorkerError && this.#lanes.size > 0)) return;
        this.stop(
          error instanceof NoWorkerError && this.#lastDeath
            ? new NoWorkerError({ cause: this.#lastDeath })
            : error,
        );
      },
    );
  }

  #begin(id: number): void {
    let pace = this.#paces.get(id);
    if (!pace) {
      // A new one is taken for one like the others.
      const [other] = this.#paces.values();
      pace = new Pace(other);
      this.#paces.set(id, pace);
    }
    const lane = new Lane(id, pace);
    this.#lanes.set(id, lane);
    this.#fill(lane);
  }

  /** Gives a worker as much as it should have in hand, or puts it back if it has nothing and gets nothing. */
  #fill(lane: Lane): void {
    if (lane.lost) return;
    const { concurrency, pool, batchSize } = this.#job;
    // Where each batch has a size of its own, a long one is as good as a long element.
    const depth = concurrency ?? (batchSize === 'auto' ? lane.pace.depth : lane.pace.depthOf(batchSize));
    while (!this.#over && !lane.alone && lane.inFlight < depth) {
      // It was given for one batch at least: two maps that only made way for each other would never come to an end.
      if (lane.used && pool && !pool.mayKeep(lane.id)) break;
      const batch = this.#take(lane);
      if (!batch) break;
      lane.used = true;
      void this.#send(lane, batch);
    }
    if (lane.inFlight === 0) this.#dismiss(lane);
  }

  /** Whether a worker would get something. */
  #hasWork(): boolean {
    const { elements, results } = this.#job;
    return this.#again.length > 0 || (results.room() > 0 && elements.ready());
  }

  /** What a worker does next, if there is something for it. */
  #take(lane: Lane): Batch | undefined {
    const { elements, results, batchSize } = this.#job;
    const left = elements.total === undefined ? undefined : elements.total - this.#next;
    const size = batchSize === 'auto' ? lane.pace.size(left, this.#lanes.size) : batchSize;
    const [first] = this.#again;
    if (first) {
      // Nothing is sent beside it, so the worker first finishes what it has.
      if (first.alone && lane.inFlight > 0) return undefined;
      this.#again.shift();
      if (first.elements.length <= size) return first;
      const { start } = first;
      this.#again.unshift({ ...first, start: start + size, elements: first.elements.slice(size) });
      return { ...first, elements: first.elements.slice(0, size) };
    }
    const taken = elements.take(Math.min(size, results.room()));
    if (taken.length === 0) return undefined;
    const start = this.#next;
    this.#next += taken.length;
    this.#open += taken.length;
    results.begin(taken.length);
    return { start, elements: taken, attempts: 0, alone: false };
  }

  #dismiss(lane: Lane): void {
    if (this.#lanes.get(lane.id) !== lane) return;
    this.#lanes.delete(lane.id);
    if (!lane.lost) this.#job.pool?.put(lane.id);
  }

  async #send(lane: Lane, batch: Batch): Promise<void> {
    const { member, perform, batchSize } = this.#job;
    const idle = lane.inFlight === 0;
    const sentAt = performance.now();
    const within = batchSize === 'auto' && batch.elements.length > 1 ? lane.pace.within : undefined;
    lane.inFlight++;
    lane.alone = batch.alone;
    let answer: { outcome: BatchOutcome } | { error: unknown };
    try {
      const { signal } = this.#stopping;
      answer = {
        outcome: await member.ask(lane.id, { signal }, (peer) => perform(peer, batch.elements, within)),
      };
    } catch (error) {
      answer = { error };
    }
    lane.inFlight--;
    lane.alone = false;
    if (this.#over) return;
    if ('error' in answer) this.#refused(lane, batch, answer.error);
    else {
      const now = performance.now();
      const { values, took } = answer.outcome;
      const service = now - Math.max(sentAt, lane.answeredAt);
      lane.answeredAt = now;
      lane.pace.answered({ count: values.length, service, took, idle });
      this.#accept(lane.id, batch, answer.outcome);
    }
    this.#progress?.changed();
    this.go();
  }

  #accept(id: number, batch: Batch, { values, errors }: BatchOutcome): void {
    const { start, elements } = batch;
    const failures = errors.length > 0 ? new Map(errors) : undefined;
    for (let index = 0; index < values.length; index++) {
      if (!failures?.has(index)) this.#put(start + index, values[index]);
    }
    for (const [index, error] of [...(failures ?? [])].sort(([a], [b]) => a - b)) {
      const one = { ...batch, start: start + index, elements: [elements[index]] };
      void this.#retry(one, new RemoteException(id, error));
    }
    if (values.length === elements.length) return;
    // It was slower than it had looked: others may have the rest.
    this.#again.push({ ...batch, start: start + values.length, elements: elements.slice(values.length) });
  }

  /** A batch has got no answer. */
  #refused(lane: Lane, batch: Batch, error: unknown): void {
    const singles = batch.elements.map((element, index) => ({
      ...batch,
      start: batch.start + index,
      elements: [element],
    }));
    if (error instanceof ProcessExitedException && error.id === lane.id) {
      this.#lastDeath = error;
      lane.lost = true;
      this.#lanes.delete(lane.id);
      this.#paces.delete(lane.id);
      this.#job.pool?.lost(lane.id);
      // What was never sent has not been tried.
      if (!error.mayHaveRun) this.#again.push(batch);
      else for (const one of singles) void this.#retry({ ...one, alone: true }, error);
      return;
    }
    // Nothing was sent, and one of them is why.
    const refusedHere = error instanceof UnserializableError || error instanceof LimitError;
    if (refusedHere && singles.length > 1) this.#again.push(...singles);
    else for (const one of singles) void this.#retry(one, error);
  }

  /** An attempt at one element has failed: it is tried again, or replaced, or ends the map. */
  async #retry(one: Batch, error: unknown): Promise<void> {
    const { retries, onError } = this.#job;
    try {
      const delay = await retries.delayAfter(error, one.attempts);
      if (this.#over) return;
      if (delay !== undefined) {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#again.push({ ...one, attempts: one.attempts + 1 });
          this.go();
        }, delay);
        this.#timers.add(timer);
        return;
      }
      if (!onError) throw error;
      const value = await onError(error, one.elements[0], one.start);
      if (this.#over) return;
      this.#failed++;
      this.#put(one.start, value);
      this.#progress?.changed();
      this.go();
    } catch (thrown) {
      this.stop(thrown);
    }
  }

  #put(index: number, value: unknown): void {
    this.#open--;
    this.#done++;
    this.#job.results.put(index, value);
  }
}

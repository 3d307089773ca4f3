import { textOf } from '../../lib/wire/codec/remote-error.ts';
import { Fifo } from './fifo.ts';
import type { JobRecord } from './job-record.ts';
import type { NodeView, Placement } from './placement.ts';
import { suits } from './placement.ts';

/** Where the jobs of a lane may run. */
export interface Wanted {
  /** The name of the only node, if there is one. */
  readonly node: string | undefined;
  readonly placement: Placement | undefined;
}

/** The jobs in the queue that may run in the same places, by their priorities; of one priority, as they came. */
export class Lane {
  readonly wanted: Wanted;
  /** Descending. */
  #priorities: number[] = [];
  readonly #queues = new Map<number, Fifo<JobRecord>>();
  /** Jobs that are still to be run; those that were ended in the queue are passed over. */
  length = 0;
  /** Why its jobs suit no node, if that is its own fault. */
  trouble: string | undefined;
  /** Ends the wait for a node, if there is none. */
  stranded: NodeJS.Timeout | undefined;

  constructor(wanted: Wanted) {
    this.wanted = wanted;
  }

  /** Whether its jobs may run there. */
  suits(view: NodeView): boolean {
    const { node, placement } = this.wanted;
    if (node !== undefined && node !== view.name) return false;
    try {
      return placement === undefined || suits(view, placement);
    } catch (cause) {
      // It is the user's own, and asked in nobody's turn: a node that it can't judge is none for it.
      this.trouble = `its placement threw: ${textOf(cause)}`;
      return false;
    }
  }

  add(record: JobRecord, front = false): void {
    const { priority } = record.options;
    let queue = this.#queues.get(priority);
    if (!queue) {
      queue = new Fifo();
      this.#queues.set(priority, queue);
      this.#priorities = [...this.#priorities, priority].sort((a, b) => b - a);
    }
    if (front) queue.pushFront(record);
    else queue.push(record);
    this.length++;
  }

  /** A job was ended in the queue. */
  dropped(): void {
    this.length--;
  }

  /** The job that is next. */
  peek(): JobRecord | undefined {
    for (const priority of this.#priorities) {
      const queue = this.#queues.get(priority)!;
      for (let next = queue.peek(); next; next = queue.peek()) {
        if (!next.isOver) return next;
        queue.shift();
      }
    }
    if (this.#priorities.length > 1) {
      this.#priorities = [];
      this.#queues.clear();
    }
    return undefined;
  }

  shift(): JobRecord | undefined {
    const next = this.peek();
    if (!next) return undefined;
    this.#queues.get(next.options.priority)!.shift();
    this.length--;
    return next;
  }
}

/** All jobs in the queue. */
export class Lanes {
  readonly #lanes = new Map<unknown, Lane>();
  readonly #common = new Lane({ node: undefined, placement: undefined });

  /** How many jobs wait for a node. */
  get length(): number {
    let length = this.#common.length;
    for (const lane of this.#lanes.values()) length += lane.length;
    return length;
  }

  /** Those that have jobs. */
  *[Symbol.iterator](): Generator<Lane> {
    if (this.#common.length > 0) yield this.#common;
    for (const [key, lane] of this.#lanes) {
      if (lane.length > 0) yield lane;
      else if (!lane.stranded) this.#lanes.delete(key);
    }
  }

  /** The lane of a job, made if it has none. */
  of({ options: { node, placement } }: JobRecord): Lane {
    if (node === undefined && placement === undefined) return this.#common;
    const where =
      typeof placement === 'function' || placement === undefined ? placement : JSON.stringify(placement);
    // A function is its own key, unless the job is pinned as well.
    const key =
      node === undefined ? where : typeof where === 'function' ? undefined : `${node}\n${where ?? ''}`;
    const lane = (key !== undefined && this.#lanes.get(key)) || new Lane({ node, placement });
    this.#lanes.set(key ?? lane, lane);
    return lane;
  }

  /** The lane whose next job is to be run first on a node: that of the highest priority, and then of the oldest job. */
  bestFor(view: NodeView): Lane | undefined {
    let best: Lane | undefined;
    let first: JobRecord | undefined;
    for (const lane of this) {
      const next = lane.peek();
      if (!next || !lane.suits(view)) continue;
      const { priority } = next.options;
      const isFirst =
        !first ||
        priority > first.options.priority ||
        (priority === first.options.priority && next.number < first.number);
      if (isFirst) [best, first] = [lane, next];
    }
    return best;
  }
}

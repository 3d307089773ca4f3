import { NoNodeError, type ServerTrouble } from '../../lib/jobs/errors.ts';
import type { JobRecord } from './job-record.ts';
import { type Lane, Lanes } from './lane.ts';
import type { JobNode } from './node.ts';
import type { Slot } from './slot.ts';

/** So many jobs leave together at most. */
const MOST_TOGETHER = 512;

/** What the scheduler of a job server asks of it. */
export interface SchedulerHost {
  readonly nodes: Iterable<JobNode>;
  /** How long jobs wait if there is no node for them, in milliseconds. */
  readonly nodeTimeout: number;
  /** What is known of servers that have no node yet. */
  troubles(): readonly ServerTrouble[];
  failed(record: JobRecord, error: Error): void;
  /** Jobs have left the queue. */
  left(): void;
  /** All that could be done now is done. */
  looked(): void;
}

/** Which job runs where: those in the queue, and when each of them leaves for which slot. */
export class Scheduler {
  readonly #host: SchedulerHost;
  readonly #lanes = new Lanes();
  #scheduled = false;
  #closed = false;

  constructor(host: SchedulerHost) {
    this.#host = host;
  }

  /** How many jobs are in the queue. */
  get length(): number {
    return this.#lanes.length;
  }

  /** Whether a job is in the queue that may run on a node. */
  hasFor(node: JobNode): boolean {
    return this.#lanes.bestFor(node.view) !== undefined;
  }

  add(record: JobRecord, front = false): void {
    record.status = 'created';
    this.#lanes.of(record).add(record, front);
    this.pump();
  }

  /** The priority of the job that is first, and since when it waits. */
  get first(): { readonly priority: number; readonly since: number } | undefined {
    let first: JobRecord | undefined;
    for (const lane of this.#lanes) {
      const next = lane.peek();
      if (next && (!first || next.options.priority > first.options.priority)) first = next;
    }
    return first && { priority: first.options.priority, since: first.submitTime };
  }

  /** A job was ended in the queue. */
  dropped(record: JobRecord): void {
    this.#lanes.of(record).dropped();
  }

  /** Soon looks what can be done; once for all that happens in one turn. */
  readonly pump = (): void => {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(this.#pumpNow);
  };

  /** Nothing leaves the queue any more. */
  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes) clearTimeout(lane.stranded);
  }

  readonly #pumpNow = (): void => {
    this.#scheduled = false;
    if (this.#closed) return;
    const left = this.#fillIdle();
    this.#startMore();
    for (const lane of this.#lanes) this.#watch(lane);
    if (left) this.#host.left();
    this.#host.looked();
  };

  /** Gives jobs to sites that wait for them, the least busy node first. */
  #fillIdle(): boolean {
    let left = false;
    const passed = new Set<JobNode>();
    for (;;) {
      const node = this.#leastBusy((each) => each.hasIdle && !passed.has(each));
      if (!node) return left;
      const lane = this.#lanes.bestFor(node.view);
      if (!lane) passed.add(node);
      else {
        left = true;
        this.#send(node, node.takeIdle()!, lane);
      }
    }
  }

  #send(node: JobNode, slot: Slot, lane: Lane): void {
    const first = lane.shift()!;
    const { fn } = first;
    if (!fn || first.program || first.alone) {
      void slot.run([first], undefined);
      return;
    }
    const pace = node.paceOf(fn);
    const records = [first];
    const slots = this.#slots;
    const size = node.restartsWorkers ? 1 : Math.min(MOST_TOGETHER, pace.size(lane.length + 1, slots));
    while (records.length < size) {
      const next = lane.peek();
      if (!next || next.fn !== fn || next.alone || next.options.priority !== first.options.priority) break;
      if ((next.journaled === undefined) !== (first.journaled === undefined)) break;
      records.push(lane.shift()!);
    }
    void slot.run(records, pace);
  }

  get #slots(): number {
    let slots = 0;
    for (const node of this.#host.nodes)
      slots += Math.max(node.slots.size, node.status === 'serving' ? node.cpus : 0);
    return slots;
  }

  /** Starts sites for jobs that wait, but no more than there are jobs. */
  #startMore(): void {
    for (const lane of this.#lanes) {
      let waiting = lane.length;
      for (const node of this.#host.nodes) if (lane.suits(node.view)) waiting -= node.starting;
      while (waiting-- > 0) {
        const node = this.#leastBusy((each) => each.mayStart && lane.suits(each.view));
        if (!node) break;
        node.start();
      }
    }
  }

  /** Of those that will do, the node that has the smallest part of its slots in use; of equals, the first. */
  #leastBusy(will: (node: JobNode) => boolean): JobNode | undefined {
    let best: JobNode | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const node of this.#host.nodes) {
      if (!will(node)) continue;
      const part = (node.busy + node.starting) / Math.max(1, node.cpus);
      if (part < least) [best, least] = [node, part];
    }
    return best;
  }

  /** Jobs for which there is no node wait for one only so long. */
  #watch(lane: Lane): void {
    const { nodeTimeout } = this.#host;
    const hasNode = [...this.#host.nodes].some((node) => node.isUsable && lane.suits(node.view));
    if (hasNode) {
      clearTimeout(lane.stranded);
      lane.stranded = undefined;
    } else lane.stranded ??= setTimeout(() => this.#strand(lane), nodeTimeout);
  }

  #strand(lane: Lane): void {
    lane.stranded = undefined;
    const troubles = this.#troubles(lane);
    const { nodeTimeout } = this.#host;
    const why = troubles.map(({ server, why }) => `${server}: ${why}`).join('; ');
    for (let record = lane.shift(); record; record = lane.shift()) {
      const message = `For ${nodeTimeout} ms there was no node that could run the job ${record.id}. ${why || 'There are no servers: give ncpus or servers.'}`;
      this.#host.failed(record, new NoNodeError(record.id, troubles, message));
    }
    this.#host.left();
  }

  #troubles(lane: Lane): readonly ServerTrouble[] {
    const { node: only } = lane.wanted;
    const asked = only === undefined ? 'it is not what the job asks for' : `the job is for the node ${only}`;
    const ofNodes = [...this.#host.nodes].map((node) => {
      const { name, server, status, trouble, view } = node;
      const isNamed = server.text === name ? name : `${name} (${server.text})`;
      const known = trouble ?? (status === 'serving' ? undefined : `it is ${status}`);
      return {
        server: isNamed,
        why: known ?? (lane.suits(view) ? 'it has no slot' : (lane.trouble ?? asked)),
      };
    });
    return [...ofNodes, ...this.#host.troubles()];
  }
}

import { inspect } from 'node:util';
import type { JobServerCore } from '../core.ts';
import { type Job, recordOf } from '../job.ts';
import type { JobRecord } from '../job-record.ts';
import type { JobNode } from '../node.ts';
import type { NodeView } from '../placement.ts';
import type { JobFigures, JobTotals, NodeFigures, Watched } from './watched.ts';

/** So many jobs that ended are remembered. */
const MOST_ENDED = 100;
/** Of a name, of arguments and of an error no more is shown, in characters. */
const LONGEST = 300;

const cut = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Runs no code of users: neither getters nor their own `inspect`. */
const argsText = (args: readonly unknown[]): string =>
  cut(
    args
      .map((arg) =>
        inspect(arg, {
          customInspect: false,
          depth: 2,
          maxArrayLength: 10,
          maxStringLength: 100,
          breakLength: Number.POSITIVE_INFINITY,
        }),
      )
      .join(', '),
  );

const whatOf = ({ fn, program }: JobRecord): string => {
  if (program) return cut(program.program);
  if (!fn) return '';
  const module = fn.functor ? 'a function' : fn.module.replace(/^.*\//, '');
  return cut(fn.name === '' ? module : `${module}#${fn.name}`);
};

const errorText = (error: unknown): string =>
  cut(error instanceof Error ? `${error.name}: ${error.message}` : argsText([error]));

/** A job server as its monitor sees it. It listens to jobs from its making until it is closed. */
export class WatchedJobs implements Watched {
  readonly #core: JobServerCore;
  readonly #showArgs: boolean;
  readonly since: number;
  /** The newest last; records themselves would hold what jobs gave. */
  readonly #ended: JobFigures[] = [];
  readonly #args = new WeakMap<JobRecord, string>();
  readonly #news = new Map<string, number>();

  constructor(core: JobServerCore, showArgs: boolean) {
    this.#core = core;
    this.#showArgs = showArgs;
    this.since = Date.now() - Math.round(performance.now() - core.since);
    core.listeners.of('job').add(this.#heard);
    core.listeners.of('node').add(this.#heardOf);
  }

  close(): void {
    this.#core.listeners.of('job').delete(this.#heard);
    this.#core.listeners.of('node').delete(this.#heardOf);
  }

  get name(): string {
    return this.#core.name;
  }

  totals(): JobTotals {
    const { submitted, ended, groups, nodes } = this.#core;
    let [running, jobTime] = [0, 0];
    for (const node of nodes.values()) jobTime += node.counts.time;
    for (const _ of this.#running()) running++;
    return {
      submitted,
      queued: groups.count - running,
      running,
      done: ended.finished,
      failed: ended.terminated + ended.abandoned,
      cancelled: ended.cancelled,
      jobTime: Math.round(jobTime),
    };
  }

  nodes(): readonly NodeFigures[] {
    return [...this.#core.nodes.values()].map((node) => this.#node(node));
  }

  running(most: number): readonly JobFigures[] {
    const shown: JobFigures[] = [];
    for (const record of this.#running()) {
      if (shown.length === most) break;
      shown.push(this.#job(record));
    }
    return shown;
  }

  ended(): readonly JobFigures[] {
    return this.#ended.toReversed();
  }

  cancel(id: string): 'cancelling' | 'over' | 'unknown' {
    const core = this.#core;
    const record = core.groups.of(undefined).find((each) => each.id === id);
    if (record) {
      core.cancel(record, 'somebody did so in the monitor', undefined);
      return 'cancelling';
    }
    const number = id.startsWith(core.prefix) ? Number(id.slice(core.prefix.length)) : Number.NaN;
    return Number.isSafeInteger(number) && number > 0 && number <= core.submitted ? 'over' : 'unknown';
  }

  hasNode(name: string): boolean {
    return this.#core.nodes.has(name);
  }

  drain(name: string): void {
    const node = this.#core.nodes.get(name);
    node?.setStatus('draining');
    node?.trim();
  }

  resume(name: string): void {
    this.#core.nodes.get(name)?.setStatus('serving');
  }

  setCpus(name: string, cpus: number): void {
    this.#core.nodes.get(name)?.setCpus(cpus);
  }

  *#running(): Generator<JobRecord, undefined> {
    for (const { slots } of this.#core.nodes.values()) {
      for (const { running } of slots) {
        if (running?.status === 'running' || running?.status === 'provisional') yield running;
      }
    }
  }

  readonly #heard = (job: Job): void => {
    const record = recordOf(job);
    if (record.node !== undefined) this.#news.set(record.node, Date.now());
    if (!record.isOver) {
      // Its arguments are forgotten when it is over.
      if (this.#showArgs) this.#argsOf(record);
      return;
    }
    this.#ended.push(this.#job(record));
    if (this.#ended.length > MOST_ENDED) this.#ended.shift();
  };

  readonly #heardOf = ({ name }: NodeView): void => {
    if (this.#core.nodes.has(name)) this.#news.set(name, Date.now());
    else this.#news.delete(name);
  };

  #argsOf(record: JobRecord): string | undefined {
    let text = this.#args.get(record);
    if (text === undefined && !record.isOver) {
      text = argsText(record.args);
      this.#args.set(record, text);
    }
    return text;
  }

  #node({ name, counts, busy, view }: JobNode): NodeFigures {
    const { server, state, platform, cpus, load, memory, disk } = view;
    const lastNews = this.#news.get(name);
    return {
      name,
      server,
      state,
      cpus,
      busy,
      jobs: counts.jobs,
      jobTime: Math.round(counts.time),
      sent: counts.sent,
      received: counts.received,
      ...(platform !== undefined && { platform }),
      ...(load !== undefined && { load }),
      ...(memory && { memory: { total: memory.total, free: memory.free } }),
      ...(disk && { disk: { total: disk.total, free: disk.free } }),
      ...(lastNews !== undefined && { lastNews }),
    };
  }

  #job(record: JobRecord): JobFigures {
    const { id, status, node, submitTime, startTime, endTime, error, ending } = record;
    const args = this.#showArgs ? this.#argsOf(record) : undefined;
    return {
      id,
      what: whatOf(record),
      status: ending && endTime === undefined ? 'ending' : status,
      submitted: submitTime,
      ...(node !== undefined && { node }),
      ...(startTime !== undefined && { started: startTime }),
      ...(endTime !== undefined && { ended: endTime }),
      ...(args !== undefined && { args }),
      ...(error !== undefined && { error: errorText(error) }),
    };
  }
}

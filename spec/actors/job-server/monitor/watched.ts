import type {
  JobFigures,
  JobTotals,
  NodeFigures,
  Watched,
} from '../../../../actors/job-server/monitor/watched.ts';

/** Figures that a spec sets, and what it was asked to do. */
export class Figures implements Watched {
  readonly name: string;
  readonly since = Date.now();
  readonly asked: string[] = [];
  all: JobTotals = { submitted: 7, queued: 3, running: 1, done: 1, failed: 1, cancelled: 1, jobTime: 2_500 };
  list: NodeFigures[] = [
    {
      name: 'a',
      server: 'a:35000',
      state: 'serving',
      cpus: 4,
      busy: 1,
      load: 0.25,
      memory: { total: 8_000, free: 2_000 },
      jobs: 3,
      jobTime: 2_500,
      sent: 10,
      received: 20,
      lastNews: 1_500,
    },
  ];
  now: JobFigures[] = [
    { id: 'j-1', what: 'work.js#sum', status: 'running', node: 'a', submitted: 1, started: 2 },
  ];
  past: JobFigures[] = [];

  constructor(name = 'jobs') {
    this.name = name;
  }

  totals(): JobTotals {
    return this.all;
  }

  nodes(): readonly NodeFigures[] {
    return this.list;
  }

  running(most: number): readonly JobFigures[] {
    return this.now.slice(0, most);
  }

  ended(): readonly JobFigures[] {
    return this.past;
  }

  cancel(id: string): 'cancelling' | 'over' | 'unknown' {
    if (id === 'over') return 'over';
    if (!this.now.some((job) => job.id === id)) return 'unknown';
    this.asked.push(`cancel ${id}`);
    return 'cancelling';
  }

  hasNode(name: string): boolean {
    return this.list.some((node) => node.name === name);
  }

  drain(node: string): void {
    this.asked.push(`drain ${node}`);
  }

  resume(node: string): void {
    this.asked.push(`resume ${node}`);
  }

  setCpus(node: string, cpus: number): void {
    this.asked.push(`cpus ${node} ${cpus}`);
  }
}

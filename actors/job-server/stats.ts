import type { JobNode } from './node.ts';

/** What one node has done. */
export interface NodeStats {
  readonly node: string;
  readonly cpus: number;
  /** How many jobs were over there, whether they gave a value or not. */
  readonly jobs: number;
  /** All of them together, in seconds. */
  readonly time: number;
  /** On average, in seconds. */
  readonly timePerJob: number;
  /** Of all jobs that were over, in percent. */
  readonly share: number;
  /** Files, in bytes. */
  readonly sent: number;
  readonly received: number;
}

/** What a job server has done since it was opened. */
export interface JobServerStats {
  readonly nodes: readonly NodeStats[];
  /** How many jobs are over, and how many are not. */
  readonly jobs: number;
  readonly pending: number;
  /** All jobs together, in seconds. */
  readonly jobTime: number;
  /** Since it was opened, in seconds. */
  readonly wallTime: number;
  /** How much longer the jobs would have taken one after the other. */
  readonly speedUp: number;
}

/** Adds up what nodes have done. */
export const statsOf = (nodes: Iterable<JobNode>, pending: number, since: number): JobServerStats => {
  const all = [...nodes];
  const jobs = all.reduce((sum, node) => sum + node.counts.jobs, 0);
  const jobTime = all.reduce((sum, node) => sum + node.counts.time, 0) / 1000;
  const wallTime = (performance.now() - since) / 1000;
  return {
    nodes: all.map(({ name, cpus, counts }) => ({
      node: name,
      cpus,
      jobs: counts.jobs,
      time: counts.time / 1000,
      timePerJob: counts.jobs === 0 ? 0 : counts.time / 1000 / counts.jobs,
      share: jobs === 0 ? 0 : (100 * counts.jobs) / jobs,
      sent: counts.sent,
      received: counts.received,
    })),
    jobs,
    pending,
    jobTime,
    wallTime,
    speedUp: wallTime === 0 ? 0 : jobTime / wallTime,
  };
};

/** Lines of cells under each other; numbers are right, words left. */
const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: ReadonlySet<number>,
): string[] => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        words.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join(' | ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('-|-'), ...rows.map(line)];
};

const seconds = (time: number): string => time.toFixed(time < 10 ? 4 : 1);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

const bytes = (size: number): string => {
  const power = Math.min(UNITS.length - 1, size < 1 ? 0 : Math.floor(Math.log2(size) / 10));
  return `${power === 0 ? size : (size / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
};

/** The tables of Parallel Python and of dispy, under each other. */
export const statsText = (stats: JobServerStats): string => {
  const { nodes, pending, jobTime, wallTime, speedUp } = stats;
  const byServer = table(
    ['job count', '% of all jobs', 'job time sum', 'time per job', 'job server'],
    nodes.map((each) => [
      String(each.jobs),
      each.share.toFixed(2),
      seconds(each.time),
      seconds(each.timePerJob),
      each.node,
    ]),
    new Set([4]),
  );
  const byNode = table(
    ['Node', 'CPUs', 'Jobs', 'Sec/Job', 'Node Time Sec', 'Sent', 'Rcvd'],
    nodes.map((each) => [
      each.node,
      String(each.cpus),
      String(each.jobs),
      seconds(each.timePerJob),
      seconds(each.time),
      bytes(each.sent),
      bytes(each.received),
    ]),
    new Set([0]),
  );
  return [
    'Job execution statistics:',
    ...byServer,
    '',
    ...byNode,
    '',
    `Jobs pending: ${pending}`,
    `Total job time: ${seconds(jobTime)} s, wall time: ${seconds(wallTime)} s, speed-up: ${speedUp.toFixed(2)}`,
    '',
  ].join('\n');
};

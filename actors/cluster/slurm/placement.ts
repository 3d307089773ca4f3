/** What an allocation has on one node. */
export interface NodeShare {
  readonly node: string;
  readonly cpus: number;
}

/** A job as `scontrol show job --details --oneliner` tells it. */
export interface JobShown {
  readonly state: string;
  /** Why it is in that state, if Slurm says so. */
  readonly reason: string | undefined;
  readonly tasks: number;
  readonly cpusPerTask: number;
  /** Lists of nodes as Slurm writes them (`a[1-3]`), each with the cores that the job has on every one. */
  readonly shares: readonly { readonly nodes: string; readonly cpus: number }[];
}

/** How many there are in `0-3,6`. */
const inRanges = (ranges: string): number =>
  ranges.split(',').reduce((sum, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);

/** Reads what `scontrol` tells of a job. */
export const parseJob = (text: string): JobShown => {
  const field = (name: string): string | undefined => {
    const value = new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(text)?.[1];
    return value === undefined || value === '' || value === '(null)' || value === 'None' ? undefined : value;
  };
  const cpusPerTask = Number(field('CPUs/Task') ?? 1);
  return {
    state: field('JobState') ?? 'UNKNOWN',
    reason: field('Reason'),
    tasks: Number(field('NumTasks') ?? 1),
    cpusPerTask: Number.isInteger(cpusPerTask) ? cpusPerTask : 1,
    shares: [...text.matchAll(/\sNodes=(\S+) CPU_IDs=(\S+)/g)].map(([, nodes = '', ids = '']) => ({
      nodes,
      cpus: inRanges(ids),
    })),
  };
};

/**
 * The node of each worker: as many on the first as it has cores for, then the next, as Slurm lays blocks; and again from
 * the first when all are full, because whoever asks for more workers than cores gets them.
 */
export const place = (workers: number, shares: readonly NodeShare[], cpusPerTask: number): string[] => {
  const slots = shares.flatMap(({ node, cpus }) =>
    Array.from({ length: Math.max(1, Math.floor(cpus / cpusPerTask)) }, () => node),
  );
  return Array.from({ length: workers }, (_, at) => slots[at % slots.length]!);
};

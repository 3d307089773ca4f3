import { execa } from 'execa';
import { SlurmError } from './errors.ts';
import { outsideJob } from './options.ts';
import { type JobShown, type NodeShare, parseJob } from './placement.ts';

/** How long Slurm's controller may take to answer, in milliseconds; its own MessageTimeout is 10 s, and it is tried again. */
const ANSWER_WITHIN = 30_000;

/** Asks Slurm by one of its own commands; rejects with SlurmError, or the signal's reason. */
export const ask = async (words: readonly string[], signal?: AbortSignal): Promise<string> => {
  const [file, ...args] = outsideJob(words) as [string, ...string[]];
  const { failed, stdout, stderr, timedOut, code } = await execa(file, args, {
    reject: false,
    stdin: 'ignore',
    timeout: ANSWER_WITHIN,
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (!failed) return stdout;
  const [command] = words;
  if (code === 'ENOENT')
    throw new SlurmError(
      `Slurm's command ${command} was not found. Run this where Slurm's clients are installed.`,
    );
  throw new SlurmError(
    timedOut
      ? `Slurm's ${command} did not answer within ${ANSWER_WITHIN} ms. See whether its controller runs: scontrol ping.`
      : `Slurm's ${words.slice(0, 3).join(' ')} failed.`,
    stderr.split('\n').filter(Boolean),
  );
};

/** What Slurm knows of a job; rejects with SlurmError. */
export const showJob = async (job: string, signal?: AbortSignal): Promise<JobShown> =>
  parseJob(await ask(['scontrol', 'show', 'job', '--details', '--oneliner', job], signal));

/** The nodes of a job, each with the cores that it has there; rejects with SlurmError. */
export const nodesOf = async ({ shares }: JobShown, signal?: AbortSignal): Promise<NodeShare[]> => {
  const lists = await Promise.all(
    shares.map(async ({ nodes, cpus }) => {
      const names = /[[,]/.test(nodes) ? await ask(['scontrol', 'show', 'hostnames', nodes], signal) : nodes;
      return names
        .split('\n')
        .filter(Boolean)
        .map((node) => ({ node, cpus }));
    }),
  );
  return lists.flat();
};

/** Lists the running steps of a job whose names begin so, with their ids. */
export const stepsOf = async (job: string): Promise<Map<string, string>> => {
  const listed = await ask(['squeue', '--steps', '--noheader', `--jobs=${job}`, '--format=%i %j']);
  return new Map(
    listed.split('\n').flatMap((line) => {
      const [id, name] = line.trim().split(/\s+/);
      return id && name ? [[name, id] as const] : [];
    }),
  );
};

/** Whether Slurm binds tasks to cores here, and so would bind all steps that overlap to the same ones. */
export const bindsToCores = async (signal?: AbortSignal): Promise<boolean> =>
  /^TaskPlugin\s*=.*\b(?:affinity|cgroup)\b/m.test(await ask(['scontrol', 'show', 'config'], signal));

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The project, which is where the commands of these specs run. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The built command. */
export const bin = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url));

/** A running `offsite`. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it wrote so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves to the match once what was written to a stream matches; rejects if it ends before. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended and everything it wrote was read. */
  readonly ended: Promise<Ended>;
}

/** How an `offsite` ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `offsite` with some words. */
export const start = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Running =>
  startProgram([process.execPath, bin, ...words], env);

/** Starts any program, with the words of its command line. */
export const startProgram = ([file, ...words]: readonly string[], env: NodeJS.ProcessEnv = {}): Running => {
  const child = spawn(file!, words, { cwd: root, env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  // One that ends before it has read everything is what some specs are about.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      ...output,
    }),
  );
  const until = async (stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output[stream]);
      if (match) return match;
      const more = once(child[stream], 'data').then(() => true);
      if (!(await Promise.race([more, ended.then(() => false)]))) {
        throw new Error(`It ended before ${pattern} came: ${JSON.stringify(output)}`);
      }
    }
  };
  return { child, output, until, ended };
};

/** Runs `offsite` with some words and a standard input, to its end. */
export const offsite = async (
  words: readonly string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const running = start(words, env);
  running.child.stdin.end(input);
  return running.ended;
};

/** The results that were printed. */
export const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

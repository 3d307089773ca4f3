import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ProgramError } from './errors.ts';
import type { JobScope } from './job-scope.ts';
import type { ProgramText } from './protocol.ts';

/** How long a program may take to end after SIGTERM, in milliseconds; then it gets SIGKILL. */
const TERMINATE_FOR = 2_000;

/**
 * Runs a program in the job's folder and gives its exit code. What it prints is the job's; the job's signal ends it.
 * Rejects with ProgramError.
 */
export const runProgram = (
  scope: JobScope,
  { program, sent, env, cwd }: ProgramText,
  args: readonly unknown[],
): Promise<number> =>
  new Promise((resolve, reject) => {
    const command = sent ? join(scope.folder, program) : program;
    const child = spawn(command, args.map(String), {
      cwd: cwd ?? scope.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let killing: NodeJS.Timeout | undefined;
    const end = () => {
      child.kill('SIGTERM');
      killing = setTimeout(() => child.kill('SIGKILL'), TERMINATE_FOR);
      killing.unref();
    };
    scope.signal.addEventListener('abort', end, { once: true });
    if (scope.signal.aborted) end();
    for (const [name, descriptor] of [
      ['stdout', 1],
      ['stderr', 2],
    ] as const) {
      const decoder = new StringDecoder('utf8');
      child[name].on('data', (bytes: Buffer) => scope.print(descriptor, decoder.write(bytes)));
      child[name].on('end', () => scope.print(descriptor, decoder.end()));
    }
    const over = () => {
      clearTimeout(killing);
      scope.signal.removeEventListener('abort', end);
    };
    child.once('error', (cause) => {
      over();
      reject(
        new ProgramError(
          `The program ${program} could not be run on ${scope.node}: ${cause.message}.`,
          null,
          {
            cause,
          },
        ),
      );
    });
    // Not `exit`: what it printed last is still to be read.
    child.once('close', (code, signal) => {
      over();
      if (code !== null) return resolve(code);
      reject(new ProgramError(`The program ${program} was ended by ${signal} on ${scope.node}.`, signal));
    });
  });

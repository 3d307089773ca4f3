import process from 'node:process';
import type { RemoteManagerOptions } from '../../actors/remote-manager/options.ts';
import { RemoteManager } from '../../actors/remote-manager.ts';
import { type Command, numberOf } from './command.ts';
import { messageOf, ownRemedyOf, report, UsageError } from './report.ts';

interface Step {
  readonly step: string;
  readonly ms: number;
  readonly detail: string;
}

/** How long the way may take altogether when nothing else is said, in seconds: what a manager gives a start. */
const DEFAULT_S = 30;

const lineOf = ({ step, ms, detail }: Step): string =>
  `${step.padEnd(8)} ${ms.toFixed(1).padStart(9)} ms  ${detail}`;

/** `offsite test`: proves the whole way to a site and back. */
export const test: Command = {
  name: 'test',
  description: 'Prove the whole way to a site and back, and print how long each step took',
  args: {
    host: {
      type: 'string',
      valueHint: 'HOST',
      description: 'The host, or user@host:port (default: localhost)',
    },
    fork: {
      type: 'string',
      valueHint: 'METHOD',
      description: 'automatic, virtual, sh, ssh or a command that takes a host and a shell line',
    },
    timeout: {
      type: 'string',
      valueHint: 'S',
      description: `Seconds that a step may take (default: ${DEFAULT_S})`,
    },
    json: { type: 'boolean', description: 'Print one line of JSON instead' },
  },
  examples: [
    ['offsite test', 'A site on this host'],
    ['offsite test --host bamse', 'A site on bamse, by ssh'],
    ['offsite test --host bamse --fork rsh', 'By another command, run as: rsh bamse "exec …"'],
  ],
  run: async (parsed) => {
    const { args, rest } = parsed;
    if (rest[0] !== undefined) {
      throw new UsageError(
        `test takes no operand, and "${rest[0]}" was given.`,
        `For a host: --host ${rest[0]}`,
      );
    }
    const timeout = (numberOf(parsed, 'timeout', { least: 0.001 }) ?? DEFAULT_S) * 1000;
    const host = typeof args.host === 'string' ? args.host : 'localhost';
    const steps: Step[] = [];
    let current = 'fork';
    const timed = async <T>(
      step: string,
      work: () => PromiseLike<T>,
      tell: (value: T) => string,
    ): Promise<T> => {
      current = step;
      const began = performance.now();
      const value = await work();
      const done: Step = { step, ms: performance.now() - began, detail: tell(value) };
      steps.push(done);
      if (args.json !== true) process.stdout.write(`${lineOf(done)}\n`);
      return value;
    };
    // Nothing runs there that prints; what ssh and the like say is quoted by the error that it explains.
    const options: RemoteManagerOptions = { host, timeout, stdout: 'ignore', stderr: 'ignore' };
    if (typeof args.fork === 'string') options.fork = args.fork;

    const stop = new AbortController();
    options.signal = stop.signal;
    let code = 0;
    for (const [signal, number] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.once(signal, () => {
        code = number;
        stop.abort();
      });
    }

    let manager: RemoteManager | undefined;
    let failure: unknown;
    try {
      const site = new RemoteManager(options);
      manager = site;
      const where = () =>
        `${site.fork === 'ssh' ? 'an' : 'a'} ${site.fork} site on ${site.host}${site.pid === undefined ? '' : `, pid ${site.pid}`}`;
      await timed('fork', () => site.ready, where);
      const os = await timed(
        'link',
        () => site.link<typeof import('node:os')>('node:os', { timeout }),
        () => 'node:os',
      );
      await timed(
        'call',
        () => os.hostname(),
        (name) => `os.hostname() is ${name}`,
      );
      await timed(
        'ping',
        () => site.ping({ timeout }),
        (ms) => `round trip ${ms.toFixed(2)} ms`,
      );
      await timed(
        'close',
        () => site.close(),
        () => 'the site is gone',
      );
    } catch (error) {
      failure = error;
      await manager?.close();
    }
    const failed = failure !== undefined;
    if (args.json === true) {
      const problem = failed
        ? { failed: current, message: messageOf(failure), remedy: ownRemedyOf(failure), at: stepOf(failure) }
        : {};
      process.stdout.write(
        `${JSON.stringify({ ok: !failed, host, fork: manager?.fork, steps, ...problem })}\n`,
      );
    } else if (!failed) process.stdout.write('Remote: Test succeeded...\n');
    else process.stdout.write(`${current.padEnd(8)}    failed     ${atStep(failure)}\n`);
    if (code !== 0) return code;
    return failed ? report(failure, process.stderr) : 0;
  },
};

const stepOf = (error: unknown): string | undefined => {
  const step = (error as { step?: unknown } | null)?.step;
  return typeof step === 'string' ? step : undefined;
};

const atStep = (error: unknown): string => {
  const step = stepOf(error);
  return step === undefined ? '' : `at ${step}`;
};

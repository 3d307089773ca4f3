import { availableParallelism } from 'node:os';
import process from 'node:process';
import { ProgressLine } from '../../actors/pool/progress-line.ts';
import { type Command, numberOf, type Parsed } from './command.ts';
import { hostOfEachSite } from './map/hosts.ts';
import { fromArguments, fromLines, type InputSource } from './map/inputs.ts';
import { JSON_NOTE } from './map/json.ts';
import { MapRun, type MapTally } from './map/run.ts';
import { LineSink } from './map/sink.ts';
import { siteStarter } from './map/site.ts';
import { parseTarget } from './map/target.ts';
import { UsageError } from './report.ts';

/** What a shell expects of a process that a signal ended: 128 and the signal's number. */
const STOPPING = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const inputsOf = (words: readonly string[]): InputSource => {
  const dash = words.indexOf('-');
  if (dash >= 0 && words.length > 1) {
    throw new UsageError(
      'The input - means the lines of the standard input, and other inputs stand beside it.',
      'Give either - or inputs, not both',
    );
  }
  if (dash < 0 && words.length > 0) return fromArguments(words);
  if (dash < 0 && process.stdin.isTTY) {
    throw new UsageError(
      'There are no inputs.',
      'Give them behind the function, or - to type them line by line',
    );
  }
  return fromLines(process.stdin);
};

const summary = (tally: MapTally, seconds: number, json: boolean): string => {
  if (json) return JSON.stringify({ ...tally, seconds: Number(seconds.toFixed(3)) });
  const { done, failed, retried, sites } = tally;
  const rate = seconds > 0 ? `, ${Math.round(done / seconds)}/s` : '';
  return (
    `offsite: ${done} input${done === 1 ? '' : 's'}, ${failed} failed, ${retried} retried, ` +
    `${sites} site${sites === 1 ? '' : 's'}, ${seconds.toFixed(2)} s${rate}`
  );
};

/** Calls `stop` at the first signal that asks for an end, and ends this process at the second one. */
const onSignals = (stop: (code: number) => void): (() => void) => {
  const listeners = Object.entries(STOPPING).map(([signal, code]) => {
    let asked = false;
    const listener = () => {
      // Who presses Ctrl-C twice means it; the sites' lifelines end them.
      if (asked) process.exit(code);
      asked = true;
      stop(code);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const off of listeners) off();
  };
};

const run = async (parsed: Parsed): Promise<number> => {
  const { args, rest } = parsed;
  const [text, ...words] = rest;
  if (text === undefined) {
    throw new UsageError(
      'There is no function to call.',
      "For example: offsite map 'node:path#basename' /a/b /c/d",
    );
  }
  const sites = numberOf(parsed, 'sites', { least: 1, whole: true }) ?? availableParallelism();
  const retry = numberOf(parsed, 'retry', { least: 0, whole: true }) ?? 0;
  const seconds = numberOf(parsed, 'timeout', { least: 0.001 });
  const file = typeof args.hosts === 'string' ? args.hosts : undefined;
  const fork = typeof args.fork === 'string' ? args.fork : undefined;
  const hosts = hostOfEachSite({ hosts: parsed.all('host'), file, sites });
  const target = parseTarget(text, { elsewhere: hosts.some((host) => host !== 'localhost') });
  const inputs = inputsOf(words);

  let code = 0;
  let broken: unknown;
  const progress = new ProgressLine(process.stderr, () => ({ total: inputs.total, ...job.tally }));
  const log = (line: string) => progress.log(line);
  const sink = new LineSink(
    process.stdout,
    () => {
      // Only where results and bar share a screen does one have to give way to the other.
      if (process.stdout.isTTY) progress.clear();
    },
    (error) => {
      // A reader that has read enough, such as head, is no failure.
      if (error.code !== 'EPIPE') broken = error;
      job.stop();
    },
  );
  const start = siteStarter({ target, fork, log, verbose: args.verbose === true });
  const job: MapRun = new MapRun({
    inputs,
    hosts,
    start,
    sink,
    log,
    retry,
    timeout: seconds === undefined ? undefined : seconds * 1000,
    ordered: args.unordered !== true,
  });
  const restore = onSignals((asked) => {
    code = asked;
    job.stop();
  });
  const began = performance.now();
  progress.start();
  try {
    await job.run();
  } finally {
    progress.stop();
    restore();
  }
  if (broken !== undefined) throw broken;
  if (code === 0 && args.quiet !== true) {
    log(summary(job.tally, (performance.now() - began) / 1000, args.json === true));
  }
  return code || (job.tally.failed > 0 ? 1 : 0);
};

/** `offsite map`: a function, many inputs, many sites. */
export const map: Command = {
  name: 'map',
  description: 'Call a function once per input, on many sites, and print one line of JSON per result',
  operands: 'MODULE#FUNCTION [INPUT… | -]',
  args: {
    sites: {
      type: 'string',
      alias: 'p',
      valueHint: 'N',
      description: 'Sites per host (default: the processors here)',
    },
    host: {
      type: 'string',
      valueHint: 'HOST',
      description: 'Where to start sites; may be repeated (default: here)',
    },
    hosts: {
      type: 'string',
      valueHint: 'FILE',
      description: 'A file of hosts: HOST or HOST N a line, # for comments',
    },
    fork: {
      type: 'string',
      valueHint: 'METHOD',
      description: 'automatic, virtual, sh, ssh or a command that takes a host and a shell line',
    },
    retry: {
      type: 'string',
      valueHint: 'N',
      description: 'How often an input is called again whose site died in the call (default: 0)',
    },
    timeout: {
      type: 'string',
      valueHint: 'S',
      description: 'Seconds that one call may take (default: no bound)',
    },
    unordered: { type: 'boolean', description: 'Print results as they come, not in the order of the inputs' },
    json: { type: 'boolean', description: 'Print the summary as JSON' },
    quiet: { type: 'boolean', alias: 'q', description: 'Print no summary' },
    verbose: { type: 'boolean', description: 'Tell of each site that is started' },
  },
  notes: [
    [
      'INPUTS',
      '',
      '  Each input is passed as a string. With - or without inputs they are the lines of the standard input, read',
      '  only as they are needed. MODULE is a path, a URL or a bare name; FUNCTION is default unless named.',
    ].join('\n'),
    [
      'FAILURES',
      '',
      '  An input that fails is printed as {"error":{"name","message","code"},"input"}, and the exit code is 1.',
      '  A site that dies is replaced. Calls are never repeated unless --retry says so. What the function prints',
      '  goes to the standard error. Exit codes: 0, 1, 64 for a wrong command line, 130 after Ctrl-C.',
    ].join('\n'),
    JSON_NOTE,
  ],
  examples: [
    ['offsite map ./hash.js#sha256 *.iso -p 4', 'Four sites on this host, one file each at a time'],
    [
      'find "$PWD" -type f | offsite map ./hash.js#sha256 - --host a --host b',
      'The lines of a pipe, on two hosts by ssh',
    ],
    ["offsite map 'node:path#basename' /etc/passwd /etc/hosts", 'A function of a module that Node has'],
    [
      'offsite map ./page.js#render --hosts hosts.txt --retry 2 --timeout 30 < urls',
      'With everything that can fail',
    ],
  ],
  run,
};

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Reply } from '../engine/detached/order.ts';
import { BOOT_WORD, type BootLine } from '../engine/protocol.ts';
import { explainExit, explainVersion } from './diagnose.ts';
import { engineFile } from './engine-file.ts';
import { ForkError } from './errors.ts';
import type { Errand, ForkRequest, SiteDeath } from './fork-method.ts';
import type { LineReader } from './lines.ts';

/** The boot line is short; what is longer is something else. */
const LONGEST_BOOT_LINE = 4096;
/** The longest reply is a list of sites. */
const LONGEST_REPLY = 4 * 1024 * 1024;

/** A process that was started to become an engine, or to lead to one; it may run on another host. */
export interface EngineProcess {
  /** What the engine writes. */
  readonly input: Readable;
  /** What the engine reads. */
  readonly output: Writable;
  /** What else is said there. */
  readonly lines: LineReader;
  /** Resolves when it has ended. */
  readonly exited: Promise<SiteDeath>;
  /** Ends it at once, and all of its group. */
  end(): void;
}

/** An engine that has spoken. */
export interface Booted {
  /** Its process, where it runs. */
  readonly pid: number;
  readonly errand?: Errand;
}

const parseBootLine = (line: string): BootLine | { noise: string } => {
  try {
    const boot = JSON.parse(line.slice(BOOT_WORD.length)) as BootLine;
    const { node, pid, engine } = boot;
    if (typeof node === 'string' && typeof pid === 'number' && typeof engine === 'boolean') return boot;
  } catch {
    // Not from an engine.
  }
  return { noise: line };
};

/** Reads one line; what came behind it is put back. Ends with what came if it does not begin with `word`, or is too long. */
const lineOf = async (
  stream: Readable,
  signal: AbortSignal,
  word: string,
  longest: number,
): Promise<string> => {
  let seen = Buffer.alloc(0);
  // Whoever read the line before has paused it.
  stream.resume();
  while (true) {
    const [chunk] = (await once(stream, 'data', { signal })) as [Buffer];
    seen = Buffer.concat([seen, chunk]);
    const end = seen.indexOf(0x0a);
    const begin = seen.toString('latin1', 0, word.length);
    if (!begin.startsWith(word.slice(0, begin.length)) || (end < 0 && seen.length > longest))
      return seen.toString('utf8');
    if (end < 0) continue;
    stream.pause();
    if (end + 1 < seen.length) stream.unshift(seen.subarray(end + 1));
    return seen.toString('utf8', 0, end);
  }
};

/** Reads the line with which an engine begins. */
const bootLine = async (stdout: Readable, signal: AbortSignal): Promise<BootLine | { noise: string }> => {
  const line = await lineOf(stdout, signal, BOOT_WORD, LONGEST_BOOT_LINE);
  return line.startsWith(BOOT_WORD) && line.length <= LONGEST_BOOT_LINE
    ? parseBootLine(line)
    : { noise: line };
};

/**
 * Waits until an engine speaks, sends it its own text if it has none, and gives it its order if there is one. Rejects with
 * ForkError, or with the reason of the request's signal; then the process has ended.
 */
export const bootEngine = async (process: EngineProcess, request: ForkRequest): Promise<Booted> => {
  const { input, output, lines, exited } = process;
  /** What the engine says, unless it ends before. */
  const said = async <T>(read: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const done = new AbortController();
    const heard = await Promise.race([
      read(AbortSignal.any([request.signal, done.signal])).then((value) => ({ value })),
      exited.then((death) => ({ death })),
    ]).finally(() => done.abort());
    if ('death' in heard) throw new ForkError(request.name, explainExit(heard.death, request));
    return heard.value;
  };
  try {
    const boot = await said((signal) => bootLine(input, signal));
    if ('noise' in boot) {
      throw new ForkError(request.name, {
        step: 'noise',
        what: `something else was printed before the engine spoke: ${JSON.stringify(boot.noise.slice(0, 200))}.`,
        remedy: 'Make the shell start-up files over there print only when they run at a terminal.',
        stderr: [...lines.tail],
      });
    }
    const tooOld = explainVersion(boot.node);
    if (tooOld) throw new ForkError(request.name, tooOld);
    if (!boot.engine) output.write(engineFile().bytes);
    if (!request.order) return { pid: boot.pid };
    output.write(`${JSON.stringify(request.order)}\n`);
    const line = await said((signal) => lineOf(input, signal, '{', LONGEST_REPLY));
    return { pid: boot.pid, errand: { reply: JSON.parse(line) as Reply, input } };
  } catch (cause) {
    process.end();
    await exited;
    // Whoever gave the start up said why.
    throw request.signal.aborted ? request.signal.reason : cause;
  }
};

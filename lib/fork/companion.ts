import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { Command, SiteDeath } from './fork-method.ts';
import { LineReader } from './lines.ts';

/** How long it may take to end in order, in milliseconds; then it is killed. */
const END_WITHIN = 5_000;
/** How long its streams may still carry what it said when it has ended, in milliseconds. */
const DRAIN_WITHIN = 200;

/**
 * Runs a command, and ends it by a signal (the first word) if it has not ended so many seconds (the second) after the
 * standard input did; then the file or folder that is the third word is removed, if there is one. So it ends also if
 * whoever holds that input is killed.
 */
const GUARD = [
  'signal=$1 grace=$2 trash=$3; shift 3',
  'exec 4<&0',
  '"$@" <&4 4<&- & command=$!',
  '{ exec </dev/null >/dev/null 2>&1; read -r _ <&4; sleep $grace; kill -s "$signal" $command; } & watcher=$!',
  // Its own words too: nobody may read them any more, and it would die of that.
  'exec 4<&- </dev/null >/dev/null 2>&1',
  'trap : TERM INT HUP',
  'while wait $command; code=$?; kill -0 $command 2>/dev/null; do :; done',
  // And what else is of its group: ssh that is killed leaves its ProxyCommand.
  'trap "" TERM; kill -s TERM -- -$$; wait $watcher',
  '[ -z "$trash" ] || rm -rf -- "$trash"',
  'exit $code',
].join('; ');

/** What is done when the input of a command ends that does not, or not always, look at that by itself. */
export interface Guard {
  readonly signal: 'TERM' | 'KILL';
  /** How many seconds it may take to end by itself. @default 0 */
  readonly grace?: number;
  /** A folder that is removed when it has ended. */
  readonly trash?: string;
}

/** The same command, ended when its standard input ends. */
export const guarded = (
  { file, args }: Pick<Command, 'file' | 'args'>,
  { signal, grace = 0, trash = '' }: Guard,
): Pick<Command, 'file' | 'args'> => ({
  file: 'sh',
  args: ['-c', GUARD, 'offsite', signal, String(grace), trash, file, ...args],
});

/**
 * A command that runs beside the sites and that they need: it has to end when its standard input does, which only this
 * process holds, and so it never outlives this process, however that ends. It does not keep the program alive.
 */
export class Companion {
  readonly #child: ChildProcess;
  readonly #lines: LineReader;
  /** How it ended, once it has. */
  readonly ended: Promise<SiteDeath>;
  #ending: Promise<void> | undefined;

  private constructor(child: ChildProcess, onLine: (line: string) => void) {
    this.#child = child;
    this.#lines = new LineReader(child.stderr!, onLine);
    this.ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => {
        const death = () => resolve({ exitCode, signal, stderr: [...this.#lines.tail] });
        const timer = setTimeout(death, DRAIN_WITHIN);
        child.once('close', () => {
          clearTimeout(timer);
          death();
        });
      });
    });
    for (const stream of child.stdio) stream?.on('error', () => {});
  }

  /**
   * Starts a command, gives it and what followed `mark` in the first line of its output that begins with it. Rejects with
   * what `explain` makes of its end, the error of the operating system if it can't be run, or the signal's reason; then
   * nothing of it is left. `onLine` gets the lines of its standard error.
   */
  static async start(
    { file, args }: Pick<Command, 'file' | 'args'>,
    { mark, signal, explain, onLine = () => {} }: CompanionStart,
  ): Promise<{ companion: Companion; said: string }> {
    signal.throwIfAborted();
    // A session of its own, so that a Ctrl-C at the terminal does not end it before the sites.
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    if (child.pid === undefined) throw ((await once(child, 'error')) as [Error])[0];
    const companion = new Companion(child, onLine);
    let abort: (() => void) | undefined;
    try {
      const said = await new Promise<string>((resolve, reject) => {
        new LineReader(child.stdout!, (line) => {
          if (line.startsWith(mark)) resolve(line.slice(mark.length).trim());
        });
        abort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', abort, { once: true });
        void companion.ended.then((death) => reject(explain(death)));
      });
      companion.#unref();
      return { companion, said };
    } catch (cause) {
      await companion.end();
      throw cause;
    } finally {
      signal.removeEventListener('abort', abort!);
    }
  }

  #unref(): void {
    this.#child.unref();
    for (const stream of this.#child.stdio) (stream as { unref?(): void } | null)?.unref?.();
  }

  /** Ends it by the end of its input, and kills it and its group if that does not help. Never rejects. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#child.ref();
    this.#child.stdin!.end();
    const done = new AbortController();
    const late = setTimeoutPromise(END_WITHIN, true, { signal: done.signal }).catch(() => false);
    const wasLate = await Promise.race([this.ended.then(() => false), late]);
    done.abort();
    if (!wasLate) return;
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // It has ended by now.
    }
    await this.ended;
  }
}

/** How a companion is started. */
export interface CompanionStart {
  /** With which the line of its output begins that says that it is there. */
  readonly mark: string;
  /** Gives the start up. */
  readonly signal: AbortSignal;
  /** Why it ended before it said so. */
  readonly explain: (death: SiteDeath) => Error;
  readonly onLine?: (line: string) => void;
}

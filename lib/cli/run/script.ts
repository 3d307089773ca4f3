import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { UsageError } from '../report.ts';

/** What a shell expects of a process that a signal ended: 128 and the signal's number. */
const STOPPING = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** The exit code of Node.js for a module that waits for what never comes. */
const UNSETTLED = 13;

/** How a script has ended. */
export interface ScriptEnd {
  readonly code: number;
  /** Whether what it has begun may go on, and has to be ended with the process. */
  readonly cutShort: boolean;
}

/** The script's file. Throws a `UsageError` if there is none. */
export const scriptFile = (path: string): string => {
  const file = resolve(path);
  if (existsSync(file)) return file;
  throw new UsageError(`There is no script ${path} in ${process.cwd()}.`, 'Give the path of a file');
};

/** Whether the script has taken this into its own hands. */
const isTheScripts = (event: string): boolean => process.listenerCount(event) > 1;

/**
 * Runs a script in this process, to its own end: when it has been evaluated, and nothing that it has begun is left to do.
 * Resolves also when it has failed or a signal came; what it failed with was printed.
 */
export const runScript = (file: string, words: readonly string[]): Promise<ScriptEnd> => {
  process.argv.splice(1, process.argv.length, file, ...words);
  return new Promise((end) => {
    let evaluated = false;
    const listeners: [string, (...args: never[]) => void][] = [];
    const on = (event: string, listener: (...args: never[]) => void) => {
      listeners.push([event, listener]);
      process.on(event, listener as () => void);
    };
    const finish = (code: number, cutShort: boolean) => {
      for (const [event, listener] of listeners) {
        // Who presses Ctrl-C again while the workers end means it; their lifelines end them.
        if (!(event in STOPPING)) process.off(event, listener as () => void);
      }
      end({ code, cutShort });
    };
    const fail = (error: unknown) => {
      process.stderr.write(`${inspect(error, { colors: process.stderr.hasColors?.() ?? false })}\n`);
      finish(1, true);
    };
    on('beforeExit', () => {
      if (!evaluated) process.stderr.write('offsite: the script waits for something that can not come.\n');
      finish(evaluated ? Number(process.exitCode ?? 0) : UNSETTLED, false);
    });
    for (const event of ['uncaughtException', 'unhandledRejection']) {
      on(event, (error: unknown) => isTheScripts(event) || fail(error));
    }
    for (const [event, code] of Object.entries(STOPPING)) {
      let asked = false;
      on(event, () => {
        if (isTheScripts(event)) return;
        if (asked) process.exit(code);
        asked = true;
        finish(code, true);
      });
    }
    import(pathToFileURL(file).href).then(() => {
      evaluated = true;
    }, fail);
  });
};

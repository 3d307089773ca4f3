import process from 'node:process';
import type { DaemonOptions } from '../../../actors/daemon/options.ts';
import { Daemon } from '../../../actors/daemon.ts';
import { DAEMON_PORT } from '../../access/dial.ts';
import { SitesFolderError } from '../../daemon/errors.ts';
import { OptionError } from '../../wire/errors.ts';
import { statusTable } from '../daemon/tables.ts';
import { messageOf, ownRemedyOf, UsageError } from '../report.ts';
import { accessKinds, announce, type Serving } from './announce.ts';
import { endDaemons } from './clean.ts';
import { logEvents } from './log.ts';
import { keepPidFile } from './pid-file.ts';
import type { ServeConfig } from './schema.ts';
import { codeOf, listenToSignals } from './signals.ts';

/** How a daemon runs in this process. */
export interface ServeHere {
  readonly config: ServeConfig;
  readonly options: DaemonOptions;
  /** Who is told that it serves, if not people or programs that read its output. */
  readonly tell: ((serving: Serving) => Promise<void>) | undefined;
}

/** An option that the daemon itself found wrong, as somebody has it who typed it. */
const asUsage = (error: unknown): unknown =>
  error instanceof OptionError
    ? new UsageError(messageOf(error), ownRemedyOf(error) ?? 'See what it may be: offsite serve --help')
    : error;

const servingOf = (daemon: Daemon, { access }: DaemonOptions): Serving => {
  const { name, pid, addresses, cpus } = daemon.status();
  return { event: 'serving', name, pid, addresses, cpus, access: accessKinds(access) };
};

/** Whoever read what is printed here may have gone, as a terminal that was closed; the daemon serves on. */
const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
};

/** Opens it; with `--clean` in the place of the one that has its folder. */
const open = async (config: ServeConfig, options: DaemonOptions, signal: AbortSignal): Promise<Daemon> => {
  try {
    return await Daemon.open(options, { signal });
  } catch (cause) {
    if (config.clean !== true || !(cause instanceof SitesFolderError) || cause.pid === undefined) throw cause;
    await endDaemons(({ pid }) => pid === cause.pid, signal);
    return Daemon.open(options, { signal });
  }
};

/** Serves until it is over, and gives the exit code. Rejects with what kept it from serving. */
export const serveHere = async ({ config, options, tell }: ServeHere): Promise<number> => {
  outliveReaders();
  let code = 0;
  let daemon: Daemon | undefined;
  const told = new AbortController();
  const say = (line: string) => config.json !== true && process.stderr.write(`offsite: ${line}\n`);
  const restore = listenToSignals({
    stop: (signal) => {
      say(`${signal}: ends when what runs has ended; the same again kills it`);
      told.abort();
      void daemon?.stop();
    },
    kill: (signal) => {
      code = codeOf(signal);
      void daemon?.stop({ now: true });
    },
    report: () => {
      if (daemon) process.stderr.write(`${statusTable(daemon.status(), Date.now()).join('\n')}\n`);
    },
  });
  let giveBack = () => {};
  try {
    if (config.clean === true) {
      await endDaemons(({ port }) => port === (options.port ?? DAEMON_PORT), told.signal);
    }
    if (config['pid-file'] !== undefined) giveBack = keepPidFile(config['pid-file']);
    daemon = await open(config, options, told.signal);
    const serving = servingOf(daemon, options);
    logEvents(daemon.events, serving.name, { json: config.json === true, dated: config.daemon === true });
    announce(serving, config.json === true);
    await tell?.(serving);
    await daemon.ended;
    return code;
  } catch (cause) {
    // Who ended it before it served knows why.
    if (told.signal.aborted && cause === told.signal.reason) return code;
    throw asUsage(cause);
  } finally {
    giveBack();
    restore();
  }
};

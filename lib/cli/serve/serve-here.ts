import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import process from 'node:process';
import type { DaemonEvents } from '../../../actors/daemon/events.ts';
import type { DaemonOptions } from '../../../actors/daemon/options.ts';
import { Daemon, type OpenDaemon } from '../../../actors/daemon.ts';
import { DAEMON_PORT } from '../../access/dial.ts';
import { SitesFolderError } from '../../daemon/errors.ts';
import { statusTable } from '../daemon/tables.ts';
import { accessKinds, announce, type Serving } from './announce.ts';
import { asUsage } from './as-usage.ts';
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

const servingOf = (daemon: Daemon, { access }: DaemonOptions): Serving => {
  const { name, pid, addresses, cpus } = daemon.status();
  return { event: 'serving', name, pid, addresses, cpus, access: accessKinds(access) };
};

/** Whoever read what is printed here may have gone, as a terminal that was closed; the daemon serves on. */
const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
};

/** Opens it; with `--clean` in the place of the one that has its folder. */
const open = async (
  config: ServeConfig,
  options: DaemonOptions,
  opening: OpenDaemon & { readonly signal: AbortSignal },
): Promise<Daemon> => {
  try {
    return await Daemon.open(options, opening);
  } catch (cause) {
    if (config.clean !== true || !(cause instanceof SitesFolderError) || cause.pid === undefined) throw cause;
    await endDaemons(({ pid }) => pid === cause.pid, opening.signal);
    return Daemon.open(options, opening);
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
    const events = new EventEmitter<DaemonEvents>();
    const { json = false, daemon: dated = false } = config;
    const log = logEvents(events, options.name ?? hostname(), { json, dated });
    daemon = await open(config, options, { signal: told.signal, events });
    // A signal that came just now found nothing to stop.
    if (told.signal.aborted) void daemon.stop({ now: code !== 0 });
    const serving = servingOf(daemon, options);
    announce(serving, json);
    log.begin();
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

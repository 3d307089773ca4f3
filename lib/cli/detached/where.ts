import process from 'node:process';
import type { ArgsDef } from 'citty';
import type { Order } from '../../engine/detached/order.ts';
import { leadsHere } from '../../fork/detached.ts';
import { errandTo, type Run, type Way } from '../../fork/errand.ts';
import { type Named, siteNamed } from '../../ticket/clerk.ts';
import { numberOf, type Parsed } from '../command.ts';
import { UsageError } from '../report.ts';

/** How long a host may take to do what it is asked when nothing else is said, in seconds: what a start may take. */
export const DEFAULT_S = 30;

/** The options by which a command says on which host the sites are that it is about. */
export const WHERE = {
  host: {
    type: 'string',
    valueHint: 'HOST',
    description: 'Where the sites run, user@host:port (default: here)',
  },
  fork: {
    type: 'string',
    valueHint: 'METHOD',
    description: 'How to get there: ssh, or a command that takes a host and a shell line',
  },
  timeout: {
    type: 'string',
    valueHint: 'S',
    description: `Seconds that the host may take (default: ${DEFAULT_S})`,
  },
} as const satisfies ArgsDef;

const timeoutOf = (parsed: Parsed): number =>
  (numberOf(parsed, 'timeout', { least: 0.001 }) ?? DEFAULT_S) * 1000;

/**
 * The way to the host that was named; `undefined` if it is this one. `timeout` is what that host may take, in
 * milliseconds, where the option of that name says something else.
 */
export const wayOf = (parsed: Parsed, timeout = timeoutOf(parsed)): Way | undefined => {
  const { args } = parsed;
  const host = typeof args.host === 'string' ? args.host : 'localhost';
  const fork = typeof args.fork === 'string' ? args.fork : 'automatic';
  return leadsHere(host, fork) ? undefined : { host, fork, timeout };
};

/** Has another host do something. */
export const ask = <T>(way: Way, order: Order): Promise<Run<T>> => errandTo<T>(way, way.host, order);

/** What a host gives that has done it. */
export const answerOf = async <T>(way: Way, order: Order): Promise<T> => {
  const run = await ask<T>(way, order);
  await run.way.leave!();
  return run.done;
};

/** The one site that a command is about. Throws a `UsageError` unless one was named. */
export const operandOf = ({ rest }: Parsed, command: string): string => {
  const [which, more] = rest;
  if (which === undefined) {
    throw new UsageError(
      'No site was named.',
      `Type: offsite ${command} NAME, or its pid; offsite sites lists them`,
    );
  }
  if (more !== undefined)
    throw new UsageError(
      `${command} takes one site, and "${more}" was given too.`,
      `Type: offsite ${command} ${which}`,
    );
  return which;
};

/** A site of this host that a person named; throws an error with what to do. */
export const siteHere = async (which: string, gone = false): Promise<Named> => {
  const found = await siteNamed(which, gone);
  if ('unnamed' in found) throw Object.assign(new Error(found.unnamed), { remedy: found.remedy });
  return found;
};

/** Ends a wait when the user presses Ctrl-C, or its reader has read enough; tells the exit code that fits. */
export const untilInterrupted = (): { signal: AbortSignal; code: () => number; restore: () => void } => {
  const stop = new AbortController();
  let code = 0;
  const listeners = (
    [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const
  ).map(([name, number]) => {
    const listener = () => {
      code = number;
      stop.abort();
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  const unread = () => stop.abort();
  process.stdout.on('error', unread);
  return {
    signal: stop.signal,
    code: () => code,
    restore: () => {
      for (const off of listeners) off();
    },
  };
};

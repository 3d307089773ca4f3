import { isIPv6 } from 'node:net';
import type { Search, Trial } from './node.ts';

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const hostOf = (address: string): string => (isIPv6(address) ? `[${address}]` : address);

/** Why a multicast question was of no use, for those who do not know the system's codes. */
const MULTICAST_REMEDIES: Record<string, string> = {
  EADDRINUSE: 'another program has UDP port 5353 for itself alone',
  EACCES: 'this process may not use UDP port 5353',
  EPERM: 'a firewall of this host forbids it',
  ENETUNREACH: 'the interface has no way for multicast',
  ENODEV: 'the interface has no multicast',
};

const reasonOf = ({ error, what }: Trial): string => {
  if (!error) return '';
  const remedy =
    what === 'multicast' ? MULTICAST_REMEDIES[(error as NodeJS.ErrnoException).code ?? ''] : undefined;
  return remedy ? `${error.message}: ${remedy}` : error.message;
};

const subjectOf = (trial: Trial, ports: string): string => {
  const { what, address = '' } = trial;
  if (what === 'multicast') {
    return trial.interface === undefined
      ? 'multicast'
      : `multicast on ${trial.interface} (${address}, UDP port ${ports})`;
  }
  if (what === 'srv') return `SRV records of ${address}`;
  if (what === 'lookup') return `the addresses of ${address}`;
  return `${hostOf(address)}:${ports}`;
};

const lineOf = (trial: Trial, ports: string): string => {
  const subject = subjectOf(trial, ports);
  const head = trial.where === subject ? subject : `${trial.where}: ${subject}`;
  const took = seconds(trial.took);
  const reason = reasonOf(trial);
  if (trial.outcome === 'answered') return `${head} answered in ${took}${reason && `, but: ${reason}`}`;
  if (trial.outcome === 'silent')
    return `${head}: asked for ${took}, and nobody answered${reason && `: ${reason}`}`;
  return `${head} failed after ${took}: ${reason}`;
};

/** What makes trials of a host's range of ports one line: the same reason but for the port. */
const kindOf = (trial: Trial): string => {
  const { where, what, address, outcome, error, port } = trial;
  const isRange = where.endsWith(':*') && what === 'dial';
  const reason = isRange ? error?.message.replaceAll(String(port), '*') : error?.message;
  return JSON.stringify([where, what, trial.interface, address, outcome, reason, isRange || port]);
};

/** Trials as lines for people; the ports of `host:*` at which the same came out share one. */
export const trialLines = (trials: readonly Trial[]): string[] => {
  const kinds = new Map<string, Trial[]>();
  for (const trial of trials) {
    const kind = kindOf(trial);
    kinds.set(kind, [...(kinds.get(kind) ?? []), trial]);
  }
  return [...kinds.values()].map((alike) => {
    const ports = alike.flatMap(({ port }) => port ?? []);
    const [first, last] = [Math.min(...ports), Math.max(...ports)];
    const slowest = alike.reduce((a, b) => (b.took > a.took ? b : a));
    return lineOf({ ...alike[0]!, took: slowest.took }, first === last ? String(first) : `${first}-${last}`);
  });
};

/**
 * Of a search, what people need to know though something may have been found: all that was tried for a word that found
 * nothing; and of the others, what announced itself and can't be used, and interfaces that can't.
 */
export const inVain = ({ nodes, trials }: Search): Trial[] => {
  const lucky = new Set(nodes.map(({ where }) => where));
  return trials.filter((trial) => {
    if (trial.outcome === 'answered') return trial.error !== undefined;
    if (!lucky.has(trial.where)) return true;
    return trial.error !== undefined && !trial.where.endsWith(':*') && trial.what !== 'lookup';
  });
};

import { forkOf, type Needs } from '../../lib/fork/automatic.ts';
import { attached, detached, leadsHere } from '../../lib/fork/detached.ts';
import type { Fork } from '../../lib/fork/fork-method.ts';
import { virtual } from '../../lib/fork/virtual.ts';
import type { CheckedOptions } from './options.ts';

const needs = ({ host, detach, cwd }: CheckedOptions): Needs => ({
  host,
  detach,
  ownFolder: cwd !== undefined && cwd !== process.cwd(),
});

/** Whether the site will be a thread of this process. */
export const forksVirtually = (options: CheckedOptions): boolean =>
  forkOf(options.fork, needs(options)) === virtual;

/** The way to a new site, or to the detached one that a ticket leads to. */
export const wayTo = (options: CheckedOptions): Fork => {
  const { fork: method, ticket, detach, idleTimeout, host } = options;
  const fork = forkOf(method, needs(options));
  if (ticket) return attached(ticket, fork, leadsHere(host, method));
  // A thread says itself that it can't be.
  return detach && fork !== virtual ? detached(fork, idleTimeout) : fork;
};

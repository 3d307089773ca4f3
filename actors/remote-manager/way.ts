import { forkOf, type Needs } from '../../lib/fork/automatic.ts';
import { attached, detached, leadsHere } from '../../lib/fork/detached.ts';
import type { Fork } from '../../lib/fork/fork-method.ts';
import { virtual } from '../../lib/fork/virtual.ts';
import type { CheckedOptions, RemoteManagerOptions } from './options.ts';

const needs = ({ host, detach, cwd }: CheckedOptions): Needs => ({
  host,
  detach,
  ownFolder: cwd !== undefined && cwd !== process.cwd(),
});

/** Where the way to a site is kept that has come by itself: a symbol, because it is no option for users. */
const GIVEN = Symbol('the way to a site that is there');

/** A site that has come by itself. */
export interface GivenWay {
  /** Takes it. */
  readonly fork: Fork;
  /** The process that has brought it, and is its parent over there. */
  readonly parent: number;
}

interface Given {
  readonly [GIVEN]?: GivenWay;
}

/** Options of a site that has come by itself. */
export const withWay = (options: RemoteManagerOptions, way: GivenWay): RemoteManagerOptions & Given => ({
  ...options,
  [GIVEN]: way,
});

/** The way to a site that has come by itself, if these are its options. */
export const givenWay = (options: RemoteManagerOptions): GivenWay | undefined => (options as Given)[GIVEN];

/** Whether the site will be a thread of this process. */
export const forksVirtually = (options: CheckedOptions): boolean =>
  !options.way && forkOf(options.fork, needs(options)) === virtual;

/** The way to a new site, or to the detached one that a ticket leads to. */
export const wayTo = (options: CheckedOptions): Fork => {
  const { fork: method, ticket, detach, idleTimeout, host, way } = options;
  if (way) return way.fork;
  const fork = forkOf(method, needs(options));
  if (ticket) return attached(ticket, fork, leadsHere(host, method));
  // A thread says itself that it can't be.
  return detach && fork !== virtual ? detached(fork, idleTimeout) : fork;
};

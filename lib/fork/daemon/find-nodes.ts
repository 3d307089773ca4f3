import type { Credentials } from '../../access/credentials.ts';
import type { Probe, Search } from '../../discovery/node.ts';
import type { FindOptions } from '../../discovery/options.ts';
import type { NodeWatch, WatchOptions } from '../../discovery/watch.ts';
import { askNode } from './ask-node.ts';
import type { NodeState } from './node-state.ts';

/** How nodes are looked for, and by what this program is known to them. */
export type FindNodesOptions = Omit<FindOptions<NodeState>, 'probe'> & { readonly credentials?: Credentials };

/** How nodes are watched, and by what this program is known to them. */
export type WatchNodesOptions = Omit<WatchOptions<NodeState>, 'probe'> & {
  readonly credentials?: Credentials;
};

const probeBy =
  (credentials: Credentials | undefined): Probe<NodeState> =>
  (address, options) =>
    askNode(address, { ...options, ...(credentials && { credentials }) });

/**
 * Looks for nodes where the words say: `auto` (multicast DNS), `host[:port]`, `host:*`, `srv:NAME` (DNS SRV records) or
 * `@FILE`. Resolves within `timeout` (5 s) with those that let this program in, be it none, and with all that was
 * tried. Rejects with OptionError, or with the signal's reason.
 */
export const findNodes = async (
  where: readonly string[] = ['auto'],
  { credentials, ...options }: FindNodesOptions = {},
): Promise<Search<NodeState>> => {
  // Not loaded before somebody looks: few programs do.
  const { findNodes: find } = await import('../../discovery/find.ts');
  return find(where, { ...options, probe: probeBy(credentials) });
};

/**
 * The same without an end: tells of nodes as they come and go, and tries again what does not answer. It never keeps the
 * process alive. Rejects with OptionError, or with the signal's reason if it is aborted already; later, that ends the watch.
 */
export const watchNodes = async (
  where: readonly string[] = ['auto'],
  { credentials, ...options }: WatchNodesOptions = {},
): Promise<NodeWatch<NodeState>> => {
  const { watchNodes: watch } = await import('../../discovery/watch.ts');
  return watch(where, { ...options, probe: probeBy(credentials) });
};

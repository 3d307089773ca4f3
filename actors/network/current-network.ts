import { currentMembership } from '../../lib/cluster/current.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { NoNetworkError } from '../../lib/cluster/messages/errors.ts';
import { shared } from '../../lib/wire/shared.ts';
import { currentCluster } from '../cluster/current-cluster.ts';
import type { ClusterView } from '../cluster/view.ts';
import { NetworkView } from './view.ts';

/** The networks of this process as a client, by their clusters. */
const networks = shared('networks', () => new WeakMap<ClusterView, NetworkView>());

const views = new WeakMap<Member, NetworkView>();

/** `currentNetwork()` finds a network of this process by its cluster from now on. */
export const enterNetwork = (cluster: ClusterView, network: NetworkView): void => {
  networks.set(cluster, network);
};

const clusterHere = (): ClusterView | undefined => {
  try {
    return currentCluster();
  } catch {
    // It is in none, which is told below in words of networks.
    return undefined;
  }
};

/**
 * The network of which the code that runs is a part: in a node always, and in the client inside of functions that nodes
 * have called there. Throws NoNetworkError elsewhere.
 */
export const currentNetwork = (): NetworkView => {
  const cluster = clusterHere();
  const network = cluster && networks.get(cluster);
  if (network) return network;
  const member = currentMembership()?.member;
  if (!member?.messages.isOpen)
    throw new NoNetworkError(
      'This process is in no network: currentNetwork() is for functions that run in the nodes of Network.connect().',
    );
  const view = views.get(member) ?? new NetworkView(member);
  views.set(member, view);
  return view;
};

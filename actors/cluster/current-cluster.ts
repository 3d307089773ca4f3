import { AsyncLocalStorage } from 'node:async_hooks';
import { currentMembership } from '../../lib/cluster/current.ts';
import { ClusterClosedError } from '../../lib/cluster/errors.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { shared } from '../../lib/wire/shared.ts';
import { type ClusterRequests, ClusterView } from './view.ts';

/** The cluster in whose name process 1 runs something: it may have several. */
const performing = shared('clusterPerforming', () => new AsyncLocalStorage<ClusterView>());

/** Runs something that a process of the cluster has asked process 1 for. */
export const performFor = <T>(cluster: ClusterView, perform: () => T): T => performing.run(cluster, perform);

const views = new WeakMap<Member, ClusterView>();

/**
 * The cluster of which the code that runs is a part: in a worker always, in process 1 inside of functions that were called
 * through the cluster. Throws ClusterClosedError elsewhere.
 */
export const currentCluster = (): ClusterView => {
  const performed = performing.getStore();
  if (performed) return performed;
  const membership = currentMembership();
  if (!membership) {
    throw new ClusterClosedError(
      'This process is in no cluster: currentCluster() is for functions that were called through one.',
    );
  }
  const { member, owner } = membership;
  const view = views.get(member) ?? new ClusterView(member, owner as unknown as ClusterRequests);
  views.set(member, view);
  return view;
};

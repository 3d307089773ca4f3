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

/** The cluster that code of this process means which runs in no other's name. */
const byDefault = shared('clusterByDefault', () => ({ cluster: undefined as ClusterView | undefined }));

/**
 * Says which cluster `currentCluster()` is in this process where nothing else says so; `undefined` takes it back.
 * `offsite run` does it for the script that it runs.
 */
export const setDefaultCluster = (cluster: ClusterView | undefined): void => {
  byDefault.cluster = cluster;
};

/**
 * The cluster of which the code that runs is a part: in a worker always, in process 1 inside of functions that were called
 * through the cluster, in a script of `offsite run`, and after `setDefaultCluster`. Throws ClusterClosedError elsewhere.
 */
export const currentCluster = (): ClusterView => {
  const performed = performing.getStore();
  if (performed) return performed;
  const membership = currentMembership();
  if (!membership) {
    if (byDefault.cluster) return byDefault.cluster;
    throw new ClusterClosedError(
      'This process is in no cluster: currentCluster() is for functions that were called through one, and for scripts of offsite run.',
    );
  }
  const { member, owner } = membership;
  const view = views.get(member) ?? new ClusterView(member, owner as unknown as ClusterRequests);
  views.set(member, view);
  return view;
};

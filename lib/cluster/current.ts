import type { Remote } from '../module/remote.ts';
import { shared } from '../wire/shared.ts';
import type { Member } from './member.ts';
import type { OwnerService } from './protocol.ts';

/** What a site is in the cluster that it was added to. */
export interface Membership {
  readonly member: Member;
  /** Process 1, which adds and removes workers. */
  readonly owner: Remote<OwnerService>;
}

/** The membership of this site, which all copies of this code in it have in common. */
const own = shared('clusterMembership', () => ({ current: undefined as Membership | undefined }));

/** What this site is in each cluster that it is in; where clusters are made it can be in many. */
const members = shared('clusterMembers', () => new Map<string, Member>());

/** What this site is in the cluster that it was added to; `undefined` if it was added to none. */
export const currentMembership = (): Membership | undefined => own.current;

/** This site is a worker from now on; a site is one only once. */
export const becomeMember = (membership: Membership): void => {
  own.current = membership;
};

/** What this site is in the cluster of that id; `undefined` if it is not in it. */
export const memberOf = (cluster: string): Member | undefined => members.get(cluster);

/** This site is in a cluster from now on. */
export const enrol = (member: Member): void => {
  members.set(member.cluster, member);
};

/** This site has left a cluster. */
export const withdraw = (member: Member): void => {
  if (members.get(member.cluster) === member) members.delete(member.cluster);
};

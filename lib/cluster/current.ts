import { shared } from '../wire/shared.ts';
import type { Member } from './member.ts';

/** The membership of this site, which all copies of this code in it have in common. */
const membership = shared('clusterMembership', () => ({ current: undefined as Member | undefined }));

/** What this site is in each cluster that it is in; where clusters are made it can be in many. */
const members = shared('clusterMembers', () => new Map<string, Member>());

/** What this site is in the cluster that it was added to; `undefined` if it was added to none. */
export const currentMember = (): Member | undefined => membership.current;

/** This site is a worker from now on; a site is one only once. */
export const becomeMember = (member: Member): void => {
  membership.current = member;
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

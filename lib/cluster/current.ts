import { shared } from '../wire/shared.ts';
import type { Member } from './member.ts';

/** The membership of this site, which all copies of this code in it have in common. */
const membership = shared('clusterMembership', () => ({ current: undefined as Member | undefined }));

/** What this site is in the cluster that it was added to; `undefined` if it was added to none. */
export const currentMember = (): Member | undefined => membership.current;

/** This site is a worker from now on; a site is one only once. */
export const becomeMember = (member: Member): void => {
  membership.current = member;
};

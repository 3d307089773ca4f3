import { opensAt, type ServiceHours, writtenMoment } from '../../lib/daemon/service-hours.ts';
import type { Slots } from '../../lib/daemon/slots.ts';
import type { Refusal } from '../../lib/fork/daemon/messages.ts';

/** Why a client gets no site, and what to do about it. */
export interface Refused {
  readonly why: Refusal;
  readonly what: string;
  readonly remedy: string;
}

/** All slots are taken. */
export const busy = (name: string, slots: Slots): Refused => {
  const holders = slots.holders().map(({ user, count }) => `${user} has ${count}`);
  const taken =
    holders.length > 0 ? `all ${slots.count} slots of ${name} are taken: ${holders.join(', ')}` : undefined;
  return {
    why: 'busy',
    what: `${taken ?? `${name} has ${slots.count} slots`}${slots.waiting > 0 ? `, and ${slots.waiting} wait` : ''}.`,
    remedy:
      'Try again when a site has ended, use another node, or give it more slots there: offsite set-cpus.',
  };
};

/** It starts nothing more. */
export const draining = (name: string, hours: ServiceHours | undefined, now: number): Refused => {
  const again = hours && opensAt(hours, now);
  const until =
    again === undefined ? '' : `, and takes clients again at ${writtenMoment(again, hours?.timeZone)}`;
  return {
    why: 'draining',
    what: `${name} starts no more sites${until}.`,
    remedy: 'Use another node, or have it take clients again there: offsite resume.',
  };
};

/** It is outside of its service hours. */
export const closed = (name: string, hours: ServiceHours | undefined, now: number): Refused => {
  const again = hours && opensAt(hours, now);
  const until = again === undefined ? '' : ` until ${writtenMoment(again, hours?.timeZone)}`;
  return {
    why: 'closed',
    what: `${name} is closed${until}.`,
    remedy: 'Use another node, or come back when its service hours begin.',
  };
};

/** Too many go to detached sites at once. */
export const bridged = (name: string, most: number): Refused => ({
  why: 'busy',
  what: `${name} leads to ${most} detached sites at once already.`,
  remedy: 'Detach from one of them.',
});

/** Its folder could not be made. */
export const withoutFolder = (name: string, cause: unknown): Refused => ({
  why: 'failed',
  what: `${name} could not make the site's folder (${(cause as Error).message}).`,
  remedy: 'See whether its disk is full, and its option destPathPrefix.',
});

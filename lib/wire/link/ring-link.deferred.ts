import { type RingEnds, RingLink } from './ring-link.ts';

/** A link over two rings; a process that is linked by pipes has no use for all that is behind it. */
export const makeRingLink = (ends: RingEnds): RingLink => new RingLink(ends);

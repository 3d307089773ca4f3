import type { Making, RefId } from './protocol.ts';

/** A reference's id as a key of maps, and in messages. */
export const keyOf = ([maker, number]: RefId): string => `${maker}:${number}`;

/** How messages call what a reference leads to. */
export const nameOfRef = (kind: Making['kind'], ref: RefId, owner: number): string =>
  `The ${kind === 'future' ? 'Future' : 'RemoteChannel'} ${keyOf(ref)} at process ${owner}`;

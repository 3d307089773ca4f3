import type { Remote } from '../../module/remote.ts';
import type { Member } from '../member.ts';
import type { Packed } from './packed.ts';
import type { BroadcastService } from './protocol.ts';

/** To how many each process sends at once: two keep a link full, and the depth small. */
const FANOUT = 2;

const split = (ids: readonly number[], parts: number): number[][] =>
  Array.from({ length: Math.min(parts, ids.length) }, (_, part) =>
    ids.filter((_id, index) => index % parts === part),
  );

/**
 * Sends a value to some, who send it on to the rest; gives those that have it. Where one does not get it, the next one of
 * its part takes its place. Never rejects: who is missing can be seen, and asked why.
 */
export const sendOn = async (
  member: Member,
  key: string,
  packed: Packed,
  ids: readonly number[],
): Promise<number[]> => {
  const reached = await Promise.all(
    split(ids, FANOUT).map(async (part) => {
      for (let at = 0; at < part.length; at++) {
        const [first, ...others] = part.slice(at) as [number, ...number[]];
        try {
          return await member.ask(first, {}, (peer) =>
            (peer as unknown as Remote<{ casts: BroadcastService }>).casts.take(key, packed, others),
          );
        } catch {
          // The next one is the head of those that are left.
        }
      }
      return [];
    }),
  );
  return reached.flat() as number[];
};

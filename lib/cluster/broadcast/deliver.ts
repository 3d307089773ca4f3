import type { Remote } from '../../module/remote.ts';
import { ProcessExitedException } from '../errors.ts';
import type { Member } from '../member.ts';
import { type Packed, sizeOf, sizesOf, toMemory } from './packed.ts';
import type { BroadcastService } from './protocol.ts';
import { SharedFile } from './shared-file.ts';
import { sendOn } from './tree.ts';

/** From this size on it is worth asking who shares memory or files with this process. */
const LARGE = 1024 * 1024;

type Peer = Remote<{ casts: BroadcastService }>;

/** Asks each process for its part; who is gone, or can't, is told apart from who has. */
const askAll = async (
  member: Member,
  ids: readonly number[],
  ask: (casts: Peer['casts']) => PromiseLike<unknown>,
): Promise<number[]> => {
  const answers = await Promise.all(
    ids.map((id) =>
      member
        .ask(id, {}, (peer) => ask((peer as unknown as Peer).casts))
        .then(
          (answer) => (answer === false ? [] : [id]),
          () => [],
        ),
    ),
  );
  return answers.flat();
};

/** Threads of this process see the bytes of one copy: a copy for each would cost more than all else. */
const byMemory = async (member: Member, key: string, packed: Packed, ids: readonly number[]) => {
  const probe = new SharedArrayBuffer(1);
  // A link that can't share memory refuses it before anything is sent.
  const near = await askAll(member, ids, (casts) => casts.sharesMemory(probe));
  if (near.length === 0) return near;
  const memories = packed.parts.map(toMemory);
  return askAll(member, near, (casts) => casts.takeMemory(key, packed.body, memories));
};

/** Processes on this host read it out of one file, which costs less than a pipe for each. */
const byFile = async (member: Member, key: string, packed: Packed, ids: readonly number[]) => {
  const file = await SharedFile.make().catch(() => undefined);
  if (!file) return [];
  try {
    const near = await askAll(member, ids, (casts) => casts.seesFile(file.place));
    if (near.length === 0) return near;
    await file.write(packed);
    return await askAll(member, near, (casts) => casts.takeFile(key, file.place, sizesOf(packed)));
  } catch {
    // There is no room for it; the links have.
    return [];
  } finally {
    await file[Symbol.asyncDispose]();
  }
};

/**
 * Brings a value to processes by the cheapest way to each: memory, a file, or the links, by a tree. Rejects with why one
 * did not get it that is still there.
 */
export const deliver = async (
  member: Member,
  key: string,
  packed: Packed,
  ids: readonly number[],
): Promise<void> => {
  const missing = new Set(ids.filter((id) => id !== member.id));
  const reached = (got: readonly number[]) => {
    for (const id of got) missing.delete(id);
  };
  if (sizeOf(packed) >= LARGE) {
    reached(await byMemory(member, key, packed, [...missing]));
    if (missing.size > 0) reached(await byFile(member, key, packed, [...missing]));
  }
  reached(await sendOn(member, key, packed, [...missing]));
  await Promise.all(
    [...missing].map(async (id) => {
      try {
        await member.ask(id, {}, (peer) => (peer as unknown as Peer).casts.take(key, packed, []));
      } catch (error) {
        // Who is gone will not miss it.
        if (!(error instanceof ProcessExitedException)) throw error;
      }
    }),
  );
};

import { expect, test } from 'vitest';
import type { Packed } from '../../../lib/cluster/broadcast/packed.ts';
import { sendOn } from '../../../lib/cluster/broadcast/tree.ts';
import type { Member } from '../../../lib/cluster/member.ts';

/** Processes that send on what they get, of which some are dead; notes who sends to whom. */
const processes = (dead: readonly number[]) => {
  const sent: [from: number, to: number][] = [];
  const member = (id: number): Member =>
    ({
      id,
      ask: (to: number, _options: object, call: (peer: object) => unknown) => {
        if (dead.includes(to)) return Promise.reject(new Error(`${to} is dead`));
        sent.push([id, to]);
        const take = async (key: string, packed: Packed, others: readonly number[]) => [
          to,
          ...(await sendOn(member(to), key, packed, others)),
        ];
        return call({ casts: { take } });
      },
    }) as unknown as Member;
  return { member: member(1), sent };
};

const packed: Packed = { body: new Uint8Array(1), parts: [] };
const ids = Array.from({ length: 14 }, (_, index) => index + 2);

test('each gets it once, nobody sends to more than two, and it is no deeper than it must be', async () => {
  const { member, sent } = processes([]);
  const reached = await sendOn(member, '1:1', packed, ids);
  expect(reached.sort((a, b) => a - b)).toEqual(ids);
  expect(sent.map(([, to]) => to).sort((a, b) => a - b)).toEqual(ids);
  for (const from of new Set(sent.map(([from]) => from))) {
    expect(sent.filter(([each]) => each === from).length).toBeLessThanOrEqual(2);
  }
  const depth = (id: number): number => (id === 1 ? 0 : 1 + depth(sent.find(([, to]) => to === id)![0]));
  expect(Math.max(...ids.map(depth))).toBe(3);
});

test('where one is dead the others of its part still get it', async () => {
  const dead = [2, 3, 7];
  const { member } = processes(dead);
  const reached = await sendOn(member, '1:1', packed, ids);
  expect(reached.sort((a, b) => a - b)).toEqual(ids.filter((id) => !dead.includes(id)));
});

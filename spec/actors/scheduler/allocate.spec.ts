import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allocate,
  type Claimant,
  type SharedNode,
  type SharePolicy,
} from '../../../actors/scheduler/allocate.ts';

const claimant = (id: string, wants: number, more: Partial<Claimant> = {}): Claimant => ({
  id,
  wants,
  priority: 0,
  weight: 1,
  since: 0,
  holds: new Map(),
  ...more,
});

const nodes: SharedNode[] = [
  { name: 'a', slots: 4 },
  { name: 'b', slots: 4 },
];

const totals = (
  claimants: readonly Claimant[],
  policy: SharePolicy,
  over = nodes,
): Record<string, number> => {
  const shares = allocate(over, claimants, policy);
  return Object.fromEntries(
    claimants.map(({ id }) => [id, [...shares.get(id)!.values()].reduce((sum, count) => sum + count, 0)]),
  );
};

describe('allocate', () => {
  it('gives equals the same, and what one has no use for to the others', () => {
    expect(totals([claimant('one', 100), claimant('two', 100)], 'fair')).toEqual({ one: 4, two: 4 });
    expect(totals([claimant('one', 1), claimant('two', 100)], 'fair')).toEqual({ one: 1, two: 7 });
  });

  it('gives by weight', () => {
    expect(totals([claimant('one', 100, { weight: 3 }), claimant('two', 100)], 'fair')).toEqual({
      one: 6,
      two: 2,
    });
  });

  it('serves a higher priority first, whatever the policy', () => {
    const claimants = [claimant('low', 100, { since: 1 }), claimant('high', 6, { priority: 5, since: 2 })];
    for (const policy of ['fair', 'fifo'] as const)
      expect(totals(claimants, policy)).toEqual({ low: 2, high: 6 });
  });

  it('serves who has waited longest first if it is fifo', () => {
    const claimants = [claimant('late', 5, { since: 2 }), claimant('early', 5, { since: 1 })];
    expect(totals(claimants, 'fifo')).toEqual({ late: 3, early: 5 });
  });

  it('gives one client all if it is exclusive, and waits until others have ended', () => {
    const waiting = claimant('waiting', 9, { since: 1 });
    const running = claimant('running', 1, { since: 2, holds: new Map([['a', 1]]) });
    expect(totals([waiting, running], 'exclusive')).toEqual({ waiting: 0, running: 1 });
    const ending = { ...running, wants: 0 };
    expect(totals([waiting, ending], 'exclusive')).toEqual({ waiting: 0, running: 0 });
    expect(totals([waiting], 'exclusive')).toEqual({ waiting: 8 });
  });

  it('lets a client keep its slots where they are, and spreads new ones', () => {
    const shares = allocate(nodes, [claimant('one', 3, { holds: new Map([['b', 2]]) })], 'fair');
    expect(Object.fromEntries(shares.get('one')!)).toEqual({ a: 1, b: 2 });
  });

  it('never gives away a slot that somebody holds, nor more than there are, nor more than is wanted', () => {
    const anyClaimant = fc.record({
      wants: fc.nat(12),
      priority: fc.nat(2),
      weight: fc.integer({ min: 1, max: 4 }),
      since: fc.nat(5),
    });
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
        fc.array(anyClaimant, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.constantFrom<SharePolicy>('fair', 'fifo', 'exclusive'),
        (slots, some, picks, policy) => {
          const over = slots.map((count, index) => ({ name: `n${index}`, slots: count }));
          const free = new Map(over.map(({ name, slots: count }) => [name, count]));
          const holds = some.map(() => new Map<string, number>());
          // Each pick is a slot that somebody holds already.
          for (const pick of picks) {
            const { name } = over[pick % over.length]!;
            const who = holds[pick % Math.max(1, holds.length)];
            if (!who || free.get(name) === 0) continue;
            free.set(name, free.get(name)! - 1);
            who.set(name, (who.get(name) ?? 0) + 1);
          }
          const claimants = some.map((one, index) =>
            claimant(`c${index}`, one.wants, { ...one, holds: holds[index]! }),
          );
          const shares = allocate(over, claimants, policy);
          for (const { id, wants } of claimants) {
            const share = [...shares.get(id)!.values()].reduce((sum, count) => sum + count, 0);
            expect(share).toBeLessThanOrEqual(wants);
          }
          for (const { name, slots: count } of over) {
            const taken = claimants.reduce(
              (sum, { id, holds: has }) => sum + Math.max(shares.get(id)!.get(name)!, has.get(name) ?? 0),
              0,
            );
            expect(taken).toBeLessThanOrEqual(count);
          }
        },
      ),
    );
  });
});

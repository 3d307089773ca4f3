import { expect, test } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import { pack, unpack } from '../../../actors/remote-actor/crossing.ts';

const actor = () => createActor(fromCallback(() => {})).start();

test('a value without actors is not copied, and it is known whether it is plain', () => {
  const plain = { type: 'a', list: [1, 'b', null, undefined, { deep: true }] };
  expect(pack(plain)).toEqual({ value: plain, references: false, plain: true });
  expect(pack(plain).value).toBe(plain);
  for (const exotic of [
    () => {},
    Symbol('s'),
    new Date(),
    new Map(),
    new Uint8Array(1),
    new (class A {})(),
  ]) {
    expect(pack({ deep: [exotic] })).toMatchObject({ references: false, plain: false });
  }
});

test('actors are replaced by addresses wherever they are, and come back as themselves', () => {
  const one = actor();
  const value = { one, list: [one], map: new Map([['k', { one }]]), set: new Set([one]), n: 1 };
  const packed = pack(value);
  expect(packed).toMatchObject({ references: true, plain: false });
  expect(value.one).toBe(one);
  const address = (packed.value as typeof value).one;
  expect(address).not.toBe(one);
  expect(address).toMatchObject({ id: one.id, sessionId: expect.stringMatching(/^x:\d+@/) });
  expect(unpack(packed.value)).toEqual(value);
  expect((unpack(pack(value).value) as typeof value).set.has(one)).toBe(true);
});

test('cycles stay cycles', () => {
  const cycle: Record<string, unknown> = { one: actor() };
  cycle.self = cycle;
  expect(
    pack({
      cycle: (() => {
        const c: unknown[] = [];
        c.push(c);
        return c;
      })(),
    }).plain,
  ).toBe(true);
  const back = unpack(pack(cycle).value) as typeof cycle;
  expect(back.self).toBe(back);
  expect(back.one).toBe(cycle.one);
});

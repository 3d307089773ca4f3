import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../../../lib/wire/call/call.ts';
import { CallTable } from '../../../lib/wire/call/call-table.ts';

const callOf = (number: number): Call => ({ number }) as Call;

test('a call is found by its number, once', () => {
  const table = new CallTable();
  const call = callOf(7);
  table.add(call);
  expect(table.size).toBe(1);
  expect(table.take(7)).toBe(call);
  expect(table.take(7)).toBeUndefined();
  expect(table.size).toBe(0);
});

test('a call that is never answered keeps its place while very many others come and go', () => {
  const table = new CallTable();
  const old = callOf(1);
  table.add(old);
  for (let number = 2; number < 300_000; number++) {
    table.add(callOf(number));
    expect(table.take(number)?.number).toBe(number);
  }
  expect(table.size).toBe(1);
  expect(table.take(1)).toBe(old);
});

test('more calls than there are ever slots for are all held, and come out oldest first', () => {
  const table = new CallTable();
  const count = 100_000;
  for (let number = 1; number <= count; number++) table.add(callOf(number));
  expect(table.size).toBe(count);
  expect(table.take(count)?.number).toBe(count);
  expect(table.takeAll().map(({ number }) => number)).toEqual(
    Array.from({ length: count - 1 }, (_, i) => i + 1),
  );
  expect(table.size).toBe(0);
});

test('what is no number of a call finds none, whosever slot it falls on', () => {
  const table = new CallTable();
  for (const number of [64, 65]) table.add(callOf(number));
  for (const number of [0, -0, -64, 0.5, 64.5, 128, 2 ** 32 + 64, NaN, Infinity, -Infinity]) {
    expect(table.take(number)).toBeUndefined();
  }
  expect(table.size).toBe(2);
});

test('it holds what a Map would hold', () => {
  const step = fc.record({
    adds: fc.nat({ max: 200 }),
    // How far back the ones to be taken out were made.
    takes: fc.array(fc.nat({ max: 400 }), { maxLength: 150 }),
    skips: fc.nat({ max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const table = new CallTable();
      const model = new Map<number, Call>();
      let last = 0;
      for (const { adds, takes, skips } of steps) {
        for (let i = 0; i < adds; i++) {
          const call = callOf(++last);
          table.add(call);
          model.set(last, call);
        }
        for (const back of takes) {
          expect(table.take(last - back)).toBe(model.get(last - back));
          model.delete(last - back);
        }
        expect(table.size).toBe(model.size);
        // Calls that were made and not waited for.
        last += skips;
      }
      expect(table.takeAll()).toEqual([...model.values()]);
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { Exports } from '../../../lib/wire/reference/exports.ts';

describe('the table of exports', () => {
  test('has the main object under zero, which is never released', () => {
    const main = { name: 'main' };
    const table = new Exports(main);
    expect(table.get(0)).toBe(main);
    expect(() => table.release(0, 1)).toThrow(ProtocolError);
    expect(table.get(0)).toBe(main);
    expect(table.size).toBe(0);
  });

  test('without a main object refuses zero like every unknown id', () => {
    expect(() => new Exports(undefined).get(0)).toThrow(ProtocolError);
  });

  test('introduces a value under one negative id, however often it is introduced', () => {
    const table = new Exports(undefined);
    const value = () => 1;
    const id = table.introduce(value);
    expect(id).toBeLessThan(0);
    expect(table.introduce(value)).toBe(id);
    expect(table.get(id)).toBe(value);
    expect(table.size).toBe(1);
  });

  test('keeps a value until every introduction of it is given back, in whatever portions', () => {
    const table = new Exports(undefined);
    const value = {};
    const id = table.introduce(value);
    table.introduce(value);
    table.introduce(value);
    table.release(id, 2);
    expect(table.get(id)).toBe(value);
    table.release(id, 1);
    expect(() => table.get(id)).toThrow(ProtocolError);
    expect(table.size).toBe(0);
  });

  test.each([2, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses %s releases of what was introduced once',
    (count) => {
      const table = new Exports(undefined);
      const id = table.introduce({});
      expect(() => table.release(id, count)).toThrow(ProtocolError);
      expect(table.size).toBe(1);
    },
  );

  test('refuses a second release of what is gone, and releases of ids that never were', () => {
    const table = new Exports(undefined);
    const id = table.introduce({});
    table.release(id, 1);
    for (const bad of [id, 5, -99, Number.NaN]) expect(() => table.release(bad, 1)).toThrow(ProtocolError);
  });

  test('never uses an id again, also for the same value', () => {
    const table = new Exports(undefined);
    const value = {};
    const ids = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const id = table.introduce(value);
      ids.add(id);
      table.release(id, 1);
    }
    expect(ids.size).toBe(10);
  });

  test("keeps results under the peer's positive ids, each only once", () => {
    const table = new Exports(undefined);
    table.keep(7, 'result');
    expect(table.get(7)).toBe('result');
    for (const bad of [7, 0, -7, Number.NaN]) {
      expect(() => table.keep(bad, 'other')).toThrow(ProtocolError);
    }
    expect(table.get(7)).toBe('result');
    table.release(7, 1);
    expect(() => table.get(7)).toThrow(ProtocolError);
  });

  test('does not take a kept result for an introduction of the same value', () => {
    const table = new Exports(undefined);
    const value = {};
    const id = table.introduce(value);
    table.keep(1, value);
    table.release(1, 1);
    expect(table.introduce(value)).toBe(id);
  });

  test('forgets everything when the peer is gone', () => {
    const table = new Exports({});
    const id = table.introduce({});
    table.keep(3, 3);
    table.clear();
    for (const any of [0, id, 3]) expect(() => table.get(any)).toThrow(ProtocolError);
  });
});

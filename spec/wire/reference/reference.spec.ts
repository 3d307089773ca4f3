import { describe, expect, test } from 'vitest';
import {
  byReference,
  isByReference,
  RemoteTarget,
  referenceOf,
} from '../../../lib/wire/reference/reference.ts';

describe('what crosses by reference', () => {
  test('are functions, classes, marked objects and instances of a RemoteTarget', () => {
    class Account extends RemoteTarget {}
    const marked = { secret: 1 };
    expect(byReference(marked)).toBe(marked);
    for (const value of [() => 1, class {}, marked, new Account()]) expect(isByReference(value)).toBe(true);
  });

  test('is nothing else', () => {
    for (const value of [null, undefined, 1, 'x', Symbol('s'), {}, [], new Map(), new (class {})()]) {
      expect(isByReference(value)).toBe(false);
    }
  });

  test('leaves a marked object unchanged, also a frozen one', () => {
    const frozen = Object.freeze({ a: 1 });
    expect(isByReference(byReference(frozen))).toBe(true);
    expect(Reflect.ownKeys(frozen)).toEqual(['a']);
  });

  test('is known again by another copy of this package for instances of a RemoteTarget', () => {
    expect(isByReference({ [Symbol.for('offsite.byReference')]: true })).toBe(true);
  });

  test('refers to nothing if it is no proxy', () => {
    for (const value of [() => 1, {}, null, 1]) expect(referenceOf(value)).toBeUndefined();
  });
});

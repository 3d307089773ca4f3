import { describe, expect, test } from 'vitest';
import { perform } from '../../../lib/wire/call/dispatch.ts';
import { Operation } from '../../../lib/wire/frame/frame.ts';
import { isByReference } from '../../../lib/wire/reference/reference.ts';

class Counter {
  static made = 0;
  constructor(public value: number) {
    Counter.made++;
  }
  add(by: number) {
    this.value += by;
    return this.value;
  }
}

const target = {
  Counter,
  inner: { counter: new Counter(40), text: 'größe', nothing: null, list: [1, 2, 3] },
  self() {
    return this;
  },
};

const { apply, construct, get } = Operation;

describe('perform', () => {
  test('calls a method on the object that has it', () => {
    expect(perform(target, ['inner', 'counter', 'add'], apply, [2])).toBe(42);
    expect(perform(target, ['self'], apply, [])).toBe(target);
  });

  test('calls what was addressed itself', () => {
    expect(perform((a: number) => a * 2, [], apply, [4])).toBe(8);
  });

  test('gets a property, also one that is not there', () => {
    expect(perform(target, ['inner', 'text'], get, [])).toBe('größe');
    expect(perform(target, ['inner', 'missing'], get, [])).toBeUndefined();
    expect(perform(target, [], get, [])).toBe(target);
  });

  test('uses the methods of primitive values and arrays', () => {
    expect(perform(target, ['inner', 'text', 'toUpperCase'], apply, [])).toBe('GRÖSSE');
    expect(perform(target, ['inner', 'list', 'indexOf'], apply, [2])).toBe(1);
    expect(perform(target, ['inner', 'list', 'length'], get, [])).toBe(3);
  });

  test('constructs an instance, which stays here', () => {
    const made = perform(target, ['Counter'], construct, [5]);
    expect(made).toBeInstanceOf(Counter);
    expect(isByReference(made)).toBe(true);
  });

  test.each([
    [['inner', 'missing', 'deep'], /inner\.missing\.deep.*"deep".*undefined/],
    [['inner', 'nothing', 'deep'], /"deep".*null/],
  ])('throws as a local access would at %s', (path, message) => {
    expect(() => perform(target, path, get, [])).toThrow(TypeError);
    expect(() => perform(target, path, get, [])).toThrow(message);
  });

  test.each([[['inner']], [['inner', 'text']], [['inner', 'nothing']], [['missing']], [[]]])(
    'says that %j is no function',
    (path) => {
      expect(() => perform(target, path, apply, [])).toThrow(/not a function in the site/);
      expect(() => perform(target, path, construct, [])).toThrow(TypeError);
    },
  );

  test.each(['constructor', '__proto__', 'hasOwnProperty', '__defineGetter__', 'valueOf'])(
    'gives nothing of what every object has: %s',
    (key) => {
      expect(perform(target, [key], get, [])).toBeUndefined();
      expect(perform(target, ['inner', 'list', key], get, [])).toBeUndefined();
    },
  );

  test.each(['call', 'apply', 'bind', 'constructor', 'caller', 'arguments'])(
    'gives nothing of what every function has: %s',
    (key) => {
      expect(perform(() => 1, [key], get, [])).toBeUndefined();
    },
  );

  test('gives what has such a name of its own', () => {
    const own = { constructor: 'a builder', call: () => 'called', toString: () => 'text' };
    expect(perform(own, ['constructor'], get, [])).toBe('a builder');
    expect(perform(own, ['call'], apply, [])).toBe('called');
    expect(perform(own, ['toString'], apply, [])).toBe('text');
  });

  test('does not let a caller reach a function that evaluates text', () => {
    for (const path of [
      ['self', 'constructor'],
      ['Counter', 'constructor'],
      ['inner', 'text', 'constructor', 'constructor'],
      ['inner', 'list', 'map', 'constructor'],
    ]) {
      expect(() => perform(target, path, apply, ['return process'])).toThrow(TypeError);
    }
  });
});

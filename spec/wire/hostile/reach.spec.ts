import { describe, expect, test } from 'vitest';
import { byReference } from '../../../lib/wire/reference/reference.ts';
import { type Anything, pair, rejection, settled } from '../pair.ts';

class Counter {
  count = 0;
  static make() {
    return byReference(new Counter());
  }
  up() {
    return ++this.count;
  }
}

const main = () => ({
  f: (x: unknown) => x,
  // biome-ignore lint/complexity/useArrowFunction: only such a function has a prototype, a caller and arguments.
  old: function () {
    return 1;
  },
  Counter,
  counter: byReference(new Counter()),
  text: 'text',
  number: 5,
  list: [1, 2],
  get secret() {
    throw new Error('a getter that fails');
  },
  nothing: null,
});

/** Follows names from the main object, and gives what is there. */
const reach = async (path: string, from: object = main()) => {
  let at = pair(from).remote as Anything;
  for (const key of path.split(' ')) at = at[key];
  return (await at) as unknown;
};

describe('a peer reaches what was exported', () => {
  test.each<[string, unknown]>([
    ['text', 'text'],
    ['text length', 4],
    ['number', 5],
    ['list length', 2],
    ['counter count', 0],
  ])('%s', async (path, value) => {
    expect(await reach(path)).toBe(value);
  });
});

describe('a peer does not reach', () => {
  test.each([
    'constructor',
    '__proto__',
    '__defineGetter__',
    'hasOwnProperty',
    'toString',
    'valueOf',
    'f call',
    'f apply',
    'f bind',
    'f constructor',
    'f prototype',
    'f __proto__',
    'old prototype',
    'old caller',
    'old arguments',
    'Counter prototype',
    'Counter constructor',
    'counter constructor',
    'counter __proto__',
    'text constructor',
    'text __proto__',
    'number constructor',
    'number __proto__',
    'list constructor',
    'list __proto__',
    'Symbol(Symbol.iterator)',
    '@@iterator',
  ])('%s', async (path) => {
    expect(await reach(path)).toBeUndefined();
  });

  test.each(['constructor constructor', 'f call call', 'nothing x', '__proto__ polluted', 'then x'])(
    '%s, because nothing leads there',
    async (path) => {
      expect(await rejection(reach(path))).toBeInstanceOf(TypeError);
    },
  );

  test('what a getter throws at, and is told why', async () => {
    expect(await rejection(reach('secret'))).toMatchObject({ message: 'a getter that fails' });
  });

  test('Function by calling what it did reach', async () => {
    const { remote } = pair(main());
    for (const path of [
      ['f', 'constructor'],
      ['text', 'constructor', 'constructor'],
      ['list', 'map', 'constructor'],
      ['counter', 'constructor', 'constructor'],
    ]) {
      let at = remote;
      for (const key of path) at = at[key];
      expect(await rejection(at('return process'))).toBeInstanceOf(TypeError);
    }
    expect(({} as Anything).polluted).toBeUndefined();
  });

  test('through an object of a third site what that site would not give', async () => {
    const third = pair(main());
    const middle = pair({ third: () => third.remote.counter.up, whole: () => third.near.session.main });
    const held = await middle.remote.whole();
    expect(await held.constructor).toBeUndefined();
    expect(await held.f.constructor).toBeUndefined();
    expect(await rejection(held.f.call(1))).toBeInstanceOf(TypeError);
    expect(await held.text).toBe('text');
    third.near.session.end(() => new Error('the third site is gone'));
    expect(await rejection(held.text)).toMatchObject({ message: 'the third site is gone' });
    await settled();
  });

  test('the text __proto__ as anything but a name', async () => {
    const body = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as object;
    const got = (await pair(main()).remote.f(body)) as Anything;
    expect([Object.keys(got), Object.getPrototypeOf(got), got.polluted]).toEqual([
      ['__proto__', 'constructor'],
      Object.prototype,
      undefined,
    ]);
    expect(({} as Anything).polluted).toBeUndefined();
  });
});

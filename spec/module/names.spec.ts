import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { namesOf, remoteNames } from '../../lib/module/names.ts';
import { byReference } from '../../lib/wire/reference/reference.ts';
import { pair } from '../wire/pair.ts';

describe('the names of a module', () => {
  test('are its own and inherited ones, without what every object has', () => {
    class Base {
      inherited() {}
      get computed(): never {
        throw new Error('Nobody asked for the value.');
      }
    }
    class Greeter extends Base {
      greeting = 'Hello';
      greet() {}
    }
    expect(namesOf(new Greeter())).toEqual(['greeting', 'greet', 'inherited', 'computed']);
    expect(namesOf({ a: 1, [Symbol('b')]: 2 })).toEqual(['a']);
    expect(namesOf({})).toEqual([]);
    expect(namesOf(Object.create(null, { hidden: { value: 1 } }))).toEqual(['hidden']);
  });

  test('are those of a namespace or of a function too', () => {
    expect(namesOf(path)).toEqual(expect.arrayContaining(['join', 'default']));
    const callable = Object.assign(() => 1, { version: 2 });
    expect(namesOf(callable)).toContain('version');
    expect(namesOf(callable)).not.toContain('bind');
  });
});

describe('the names of a module that lives in another site', () => {
  const world = () =>
    pair({
      module: () => byReference({ greet: () => 'Hello' }),
      names: (module: object) => namesOf(module),
    });

  test('are asked for there', async () => {
    const { remote, near } = world();
    const module = (await remote.module()) as object;
    expect(await remoteNames(module, { reaches: () => false })).toEqual(['greet']);
    expect(near.link.count('call')).toBe(2);
  });

  test('are known to the site itself, which needs none', async () => {
    const { remote, near } = world();
    const module = (await remote.module()) as object;
    expect(await remoteNames(module, near.session)).toBeUndefined();
    expect(near.link.count('call')).toBe(1);
  });

  test('are none if that site can not say them, or is gone', async () => {
    const silent = pair({ module: () => byReference({}) });
    expect(await remoteNames((await silent.remote.module()) as object, { reaches: () => false })).toEqual([]);
    const { remote, near } = world();
    const module = (await remote.module()) as object;
    near.session.end(() => new Error('gone'));
    expect(await remoteNames(module, { reaches: () => false })).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { facadeText } from '../../../lib/engine/loader/entered.ts';
import { importFrom } from '../../../lib/module/resolve.ts';

const KEY = 'offsite spec facade';
let count = 0;

/** Imports the text of a facade for a value, as Node would. */
const imported = async (value: unknown, names: string[]): Promise<Record<string, unknown>> => {
  const number = ++count;
  Object.assign(globalThis, { [KEY]: { ...(globalThis as { [KEY]?: object })[KEY], [number]: value } });
  const text = facadeText(`globalThis[${JSON.stringify(KEY)}][${number}]`, names);
  // By Node itself: vitest's own `import` looks into what it gives.
  const load = importFrom(import.meta.url);
  return (await load(`data:text/javascript,${encodeURIComponent(text)}`)) as Record<string, unknown>;
};

describe('what stands in for a module', () => {
  test('exports the module as default, and its names', async () => {
    const module = { a: 1, b: () => 2, default: 'not this' };
    const { default: whole, ...names } = await imported(module, ['a', 'b', 'default', 'missing', 'a']);
    expect(whole).toBe(module);
    expect(names).toEqual({ a: 1, b: module.b, missing: undefined });
  });

  test('exports names that are no identifiers, or words of the language', async () => {
    const names = [
      'two words',
      'class',
      'await',
      'module',
      '$0',
      'ñ',
      "it's",
      '"',
      '\\',
      '\n',
      '',
      '0',
      '__proto__',
    ];
    const module = Object.fromEntries(names.map((name, i) => [name, i]));
    const namespace = await imported(module, names);
    for (const [i, name] of names.entries()) expect(namespace[name], name).toBe(i);
  });

  test('gives the module itself as module.exports, as new versions of Node.js do', async () => {
    const module = () => 1;
    expect((await imported(module, ['module.exports']))['module.exports']).toBe(module);
  });

  test('exports nothing for a name whose getter throws, as Node does', async () => {
    const module = {
      get broken(): never {
        throw new Error('too early');
      },
      fine: 1,
    };
    const { broken, fine } = await imported(module, ['broken', 'fine']);
    expect([broken, fine]).toEqual([undefined, 1]);
  });

  test.each([null, undefined, 'text', 7])('exports what is no object: %s', async (value) => {
    const namespace = await imported(value, ['a', 'length']);
    expect([namespace.default, namespace.a]).toEqual([value, undefined]);
  });
});

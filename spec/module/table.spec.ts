import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KeyTakenError } from '../../lib/module/errors.ts';
import { folderURL } from '../../lib/module/resolve.ts';
import { ModuleTable } from '../../lib/module/table.ts';

let folder: string;
let base: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-table-')));
  base = folderURL(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

describe('a module table', () => {
  test('loads a module once, whoever links it and however it is written', async () => {
    write('counting.mjs', 'globalThis.loadings = (globalThis.loadings ?? 0) + 1; export const own = {};');
    const table = new ModuleTable();
    const [first, second, third] = await Promise.all([
      table.link({ url: './counting.mjs' }, base),
      table.link({ url: `${base}counting.mjs` }, 'file:///elsewhere/'),
      table.link({ url: './x/../counting.mjs' }, base),
    ]);
    expect([second === first, third === first]).toEqual([true, true]);
    expect((globalThis as { loadings?: number }).loadings).toBe(1);
  });

  test('takes a system module with and without its prefix for one', async () => {
    const table = new ModuleTable();
    expect(await table.link({ name: 'os' }, base)).toBe(await table.link({ name: 'node:os' }, base));
  });

  test('gives a module that was entered, instead of loading one', async () => {
    const table = new ModuleTable();
    const sandbox = { hostname: () => 'sandbox' };
    table.enter({ name: 'node:os' }, base, sandbox);
    table.enter({ url: './there-is-none.mjs' }, base, sandbox);
    expect(await table.link({ name: 'os' }, base)).toBe(sandbox);
    expect(await table.link({ url: `${base}there-is-none.mjs` }, base)).toBe(sandbox);
  });

  test('has each key once: what was entered or linked is never replaced', async () => {
    const table = new ModuleTable();
    const first = {};
    table.enter({ name: 'greeter' }, base, first);
    expect(() => table.enter({ name: 'greeter' }, base, {})).toThrow(KeyTakenError);
    expect(await table.link({ name: 'greeter' }, base)).toBe(first);
    const linking = table.link({ name: 'node:path' }, base);
    expect(() => table.enter({ name: 'path' }, base, {})).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_KEY_TAKEN', key: 'node:path' }),
    );
    await linking;
  });

  test('is one of several that know nothing of each other', () => {
    const [one, other] = [new ModuleTable(), new ModuleTable()];
    one.enter({ name: 'x' }, base, {});
    other.enter({ name: 'x' }, base, {});
  });

  test('gives the error of a loading to all who wait for it, and loads again after it was mended', async () => {
    const table = new ModuleTable();
    const key = { url: './late.mjs' };
    const [one, other] = await Promise.allSettled([table.link(key, base), table.link(key, base)]);
    expect([one, other]).toMatchObject([
      { reason: { code: 'ERR_MODULE_NOT_FOUND' } },
      { reason: { code: 'ERR_MODULE_NOT_FOUND' } },
    ]);
    write('late.mjs', 'export const there = true;');
    expect(await table.link(key, base)).toMatchObject({ there: true });
  });

  test('lets a module be entered under a key that could not be loaded', async () => {
    const table = new ModuleTable();
    await expect(table.link({ name: 'there-is-no-package' }, base)).rejects.toThrow();
    const module = {};
    table.enter({ name: 'there-is-no-package' }, base, module);
    expect(await table.link({ name: 'there-is-no-package' }, base)).toBe(module);
  });

  test('leaves no unhandled rejection when a loading fails that nobody waits for', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const table = new ModuleTable();
      await table.link({ url: './none.mjs' }, base).catch(() => {});
      await new Promise(setImmediate);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('has its loader load what it does not hold, with the wish, and nothing else', async () => {
    const asked: unknown[] = [];
    const table = new ModuleTable(async (...args) => {
      asked.push(args);
      return {};
    });
    await table.link({ url: './a.mjs' }, base, { origin: 'parent' });
    await table.link({ url: './a.mjs' }, base, { origin: 'site' });
    await table.link({ name: 'os' }, base);
    expect(asked).toEqual([
      [`${base}a.mjs`, base, { origin: 'parent' }],
      ['node:os', base, {}],
    ]);
  });

  test('loads a module afresh when that is wished, and gives that one from then on', async () => {
    let count = 0;
    const table = new ModuleTable(async () => ({ count: ++count }));
    const key = { url: './a.mjs' };
    const first = await table.link(key, base);
    const [second, meanwhile] = await Promise.all([
      table.link(key, base, { fresh: true }),
      table.link(key, base),
    ]);
    expect([first, second]).toEqual([{ count: 1 }, { count: 2 }]);
    expect([meanwhile, await table.link(key, base)]).toEqual([second, second]);
    expect(first).toEqual({ count: 1 });
  });

  test('goes on with what there was when it could not be loaded afresh', async () => {
    const results = [async () => ({ count: 1 }), () => Promise.reject(new Error('broken'))];
    const table = new ModuleTable(() => results.shift()!());
    const key = { url: './a.mjs' };
    const first = await table.link(key, base);
    await expect(table.link(key, base, { fresh: true })).rejects.toThrow('broken');
    expect(await table.link(key, base)).toBe(first);
  });

  test('goes on with what was loaded last, though an earlier loading fails after it', async () => {
    let fail = (_cause: unknown) => {};
    const results = [
      () =>
        new Promise<object>((_, reject) => {
          fail = reject;
        }),
      async () => ({ count: 2 }),
    ];
    const table = new ModuleTable(() => results.shift()!());
    const key = { url: './a.mjs' };
    const failing = table.link(key, base);
    const second = await table.link(key, base, { fresh: true });
    fail(new Error('late'));
    await expect(failing).rejects.toThrow('late');
    expect(await table.link(key, base)).toBe(second);
  });

  test('never loads what was entered, be it wished afresh or not', async () => {
    const table = new ModuleTable(() => Promise.reject(new Error('Nothing is to be loaded here.')));
    const module = {};
    table.enter({ url: './a.mjs' }, base, module);
    expect(await table.link({ url: './a.mjs' }, base, { fresh: true })).toBe(module);
    expect(await table.entered({ url: './a.mjs' }, base)).toBe(module);
  });

  test('tells what was entered from what was linked', async () => {
    const table = new ModuleTable(async () => ({}));
    await table.link({ url: './a.mjs' }, base);
    expect(table.entered({ url: './a.mjs' }, base)).toBeUndefined();
    expect(table.entered({ name: 'none' }, base)).toBeUndefined();
    const module = {};
    expect(table.enter({ name: 'os' }, base, module)).toBe('node:os');
    expect(await table.entered({ name: 'node:os' }, base)).toBe(module);
  });

  test('forgets what was linked or entered, and its key can be used again', async () => {
    let count = 0;
    const table = new ModuleTable(async () => ({ count: ++count }));
    const key = { url: './a.mjs' };
    await table.link(key, base);
    expect(table.forget(key, base)).toBe(`${base}a.mjs`);
    expect(await table.link(key, base)).toEqual({ count: 2 });
    table.forget(key, base);
    const module = {};
    table.enter(key, base, module);
    table.forget({ url: `${base}./a.mjs` }, base);
    expect(table.entered(key, base)).toBeUndefined();
    expect(await table.link(key, base)).toEqual({ count: 3 });
    expect(table.entered(key, base)).toBeUndefined();
    expect(await table.link(key, base, { fresh: true })).toEqual({ count: 4 });
    expect(table.forget({ name: 'never heard of' }, base)).toBe('never heard of');
  });
});

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
});

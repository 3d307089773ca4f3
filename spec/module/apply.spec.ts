import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyFunctor, ownBase } from '../../lib/module/apply.ts';
import { functor } from '../../lib/module/functor.ts';
import { type Functor, functorScript } from '../../lib/module/functor-text.ts';
import { folderURL, keyOf } from '../../lib/module/resolve.ts';
import { ModuleTable } from '../../lib/module/table.ts';

let folder: string;
let base: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-apply-')));
  base = folderURL(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

const linkIn = (table: ModuleTable) => (specifier: string) => table.link(keyOf(specifier), base);
const apply = (made: Functor, table = new ModuleTable()) =>
  applyFunctor({ import: made.import, script: functorScript(made) }, base, linkIn(table));
/** Applies a body that the compiler would not let through. */
const applyText = (source: string) =>
  applyFunctor({ import: {}, script: functorScript({ source }) }, base, linkIn(new ModuleTable()));

describe('applying a functor', () => {
  test('gives the module that its body makes, at once or later', async () => {
    expect(await apply(functor(() => ({ answer: 42 })))).toEqual({ answer: 42 });
    expect(await apply(functor(async () => ({ answer: 42 })))).toEqual({ answer: 42 });
  });

  test('gives its body the imports by their aliases', async () => {
    writeFileSync(join(folder, 'own.mjs'), 'export const from = "file";');
    const made = functor({ import: { os: 'os', own: './own.mjs' } }, ({ os, own }) => ({
      names: [typeof os.hostname, own.from],
    }));
    expect(await apply(made)).toEqual({ names: ['function', 'file'] });
  });

  test('links the imports through the table, so that entered modules are found there', async () => {
    const table = new ModuleTable();
    const entered = { hostname: () => 'sandbox' };
    table.enter({ name: 'node:os' }, base, entered);
    const made = functor({ import: { os: 'os' } }, ({ os }) => ({ os }));
    expect(((await apply(made, table)) as { os: unknown }).os).toBe(entered);
  });

  test('lets the body import more, resolved against the base', async () => {
    writeFileSync(join(folder, 'more.mjs'), 'export const from = "file";');
    expect(await applyText('async () => ({ more: (await import("./more.mjs")).from })')).toEqual({
      more: 'file',
    });
  });

  test('runs its body in strict mode, with this undefined', async () => {
    expect(await applyText('function () { return { self: typeof this }; }')).toEqual({ self: 'undefined' });
  });

  test('shows the base and the right line in the stack of what the body throws', async () => {
    const failing = applyText('() => {\n  throw new EvalError("the body fails");\n}');
    await expect(failing).rejects.toMatchObject({
      name: 'EvalError',
      stack: expect.stringMatching(/\[functor\]:2:/),
    });
  });

  test('rejects with the error of an import', async () => {
    const made = functor({ import: { none: './there-is-none.mjs' } }, () => ({ ok: true }));
    await expect(apply(made)).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
  });

  test.each(['undefined', 'null', '42', "'text'"])(
    'refuses a body that makes no module but %s',
    async (value) => {
      await expect(applyText(`() => (${value})`)).rejects.toThrow(TypeError);
      await expect(applyText(`async () => (${value})`)).rejects.toThrow(/return an object/);
    },
  );

  test('takes a function for a module', async () => {
    expect(await applyText('() => () => 42')).toBeTypeOf('function');
  });
});

describe('the base of a functor that was given none', () => {
  test('is the folder that the site works in', () => {
    expect(ownBase()).toBe(folderURL(process.cwd()));
  });
});

import { rmSync, statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { scan } from '../../../lib/module/source/scan.ts';
import { disk } from './disk.ts';

const { path, write } = disk();

describe('the format of a file', () => {
  const esm = 'export {}';
  const plain = 'exports.a = 1';
  test.each([
    ['a.mjs', 'commonjs', plain, 'module'],
    ['a.cjs', 'module', esm, 'commonjs'],
    ['a.mts', 'commonjs', plain, 'module'],
    ['a.cts', 'module', plain, 'commonjs'],
    ['a.js', 'module', plain, 'module'],
    ['a.js', 'commonjs', esm, 'commonjs'],
    ['a.js', undefined, plain, 'commonjs'],
    ['a.js', undefined, esm, 'module'],
    ['a.ts', 'module', 'const a: number = 1;', 'module'],
    ['a.ts', 'commonjs', 'const a: number = 1;', 'commonjs'],
    ['a.ts', undefined, 'const a: number = 1;', 'commonjs'],
    ['a.ts', undefined, 'export const a: number = 1;', 'module'],
    // As Node sees it too: when the types are gone there is nothing left that says it.
    ['a.ts', undefined, "import type { B } from './b.ts';", 'commonjs'],
    ['tool', undefined, plain, 'commonjs'],
    ['a.json', 'module', '{}', 'json'],
    ['a.wasm', 'module', '', 'wasm'],
    ['a.mp3', undefined, plain, 'commonjs'],
    ['a.cfg', undefined, esm, 'module'],
    ['a.b/c', undefined, plain, 'commonjs'],
  ])('%s in a package of type %s that says %s is %s', async (name, type, text, format) => {
    write('package.json', JSON.stringify({ name: 'mine', type }));
    write(name, text);
    expect((await scan(path(name))).format).toBe(format);
  });
});

describe('a file', () => {
  test('is as it lies there, with the mark that it may begin with', async () => {
    write('a.cjs', '\ufeffexports.a = 1;');
    const { bytes, made } = await scan(path('a.cjs'));
    expect([bytes.toString('hex', 0, 3), made]).toEqual(['efbbbf', false]);
  });

  test('is read once while it stays the same, and again when it has changed', async () => {
    write('a.js', 'exports.a = 1;');
    const [first, second] = await Promise.all([scan(path('a.js')), scan(path('a.js'))]);
    expect(second).toBe(first);
    expect(first.changed).toBe(statSync(path('a.js')).ctimeMs);
    write('a.js', 'exports.a = 22;');
    const third = await scan(path('a.js'));
    expect(third.bytes.toString()).toBe('exports.a = 22;');
    // As long, and with the same time: what an editor or `cp -p` may make of it.
    const { atime, mtime } = statSync(path('a.js'));
    rmSync(path('a.js'));
    write('a.js', 'exports.a = 33;');
    await utimes(path('a.js'), atime, mtime);
    expect((await scan(path('a.js'))).bytes.toString()).toBe('exports.a = 33;');
  });

  test('that could not be read can be, when it is mended', async () => {
    await expect(scan(path('a.ts'))).rejects.toMatchObject({ code: 'ENOENT' });
    write('a.ts', 'const = ;');
    await expect(scan(path('a.ts'))).rejects.toMatchObject({ code: 'ERR_OFFSITE_TYPESCRIPT' });
    write('a.ts', 'export const a: number = 1;');
    expect((await scan(path('a.ts'))).format).toBe('module');
  });
});

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { folderURL, importFrom, keyOf, runScript, tableKey } from '../../lib/module/resolve.ts';

describe('what a string means', () => {
  test.each([
    'os',
    'node:os',
    'node:fs/promises',
    'left-pad',
    '@scope/pkg',
    '@scope/pkg/sub.js',
    '.hidden',
    'a.js',
    'x:',
  ])('is a name: %s', (specifier) => {
    expect(keyOf(specifier)).toEqual({ name: specifier });
  });

  test.each([
    './a.js',
    '../a.js',
    '/a.js',
    '.',
    '..',
    'file:///a.js',
    'https://example.org/a.js',
    'data:text/javascript,export {}',
  ])('is a URL: %s', (specifier) => {
    expect(keyOf(specifier)).toEqual({ url: specifier });
  });
});

describe('the key of a module table', () => {
  const base = 'file:///home/ada/';

  test.each([
    [{ url: './a.js' }, 'file:///home/ada/a.js'],
    [{ url: '../b c.js' }, 'file:///home/b%20c.js'],
    [{ url: '/etc/d.js' }, 'file:///etc/d.js'],
    [{ url: 'https://example.org/x/../a.js' }, 'https://example.org/a.js'],
    [{ url: 'file:///home/ada/./a.js?v=1' }, 'file:///home/ada/a.js?v=1'],
    [{ name: 'os' }, 'node:os'],
    [{ name: 'node:os' }, 'node:os'],
    [{ name: 'fs/promises' }, 'node:fs/promises'],
    [{ name: 'left-pad' }, 'left-pad'],
    // Node.js knows this one only with `node:` in front.
    [{ name: 'test' }, 'test'],
  ])('of %j is %s', (key, expected) => {
    expect(tableKey(key, base)).toBe(expected);
  });
});

describe('a folder as a URL', () => {
  test('ends in a slash and is absolute, whatever its name is', () => {
    expect(folderURL('/tmp/it is #1')).toBe('file:///tmp/it%20is%20%231/');
    expect(folderURL('/tmp/')).toBe('file:///tmp/');
    expect(fileURLToPath(folderURL('.'))).toBe(`${process.cwd()}${sep}`);
  });
});

describe('a script', () => {
  test('gives its value, and shows its name in stacks', () => {
    expect(runScript('40 + 2', 'file:///x.js')).toBe(42);
    const fail = runScript('() => { throw new Error("m") }', 'file:///home/ada/x.js') as () => never;
    expect(fail).toThrow(
      expect.objectContaining({ stack: expect.stringContaining('file:///home/ada/x.js:1') }),
    );
  });

  test('that is none throws a SyntaxError', () => {
    expect(() => runScript('const', 'file:///x.js')).toThrow(SyntaxError);
  });

  test('is run without a warning about how it is', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    // Node.js prints them itself.
    const silent = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await (runScript('import("node:os")', 'file:///x.js') as Promise<object>);
      await new Promise(setImmediate);
      expect(warnings).toEqual([]);
      process.emitWarning('another one');
      await new Promise(setImmediate);
      expect(warnings).toMatchObject([{ message: 'another one' }]);
    } finally {
      process.off('warning', note);
      silent.mockRestore();
    }
  });
});

describe('import() in a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite resolve ')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('finds files beside it, and packages above it', async () => {
    const below = join(folder, 'a', 'b');
    mkdirSync(below, { recursive: true });
    mkdirSync(join(folder, 'node_modules', 'pad'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'pad', 'package.json'), '{"type":"module","main":"pad.js"}');
    writeFileSync(join(folder, 'node_modules', 'pad', 'pad.js'), 'export const from = "package";');
    writeFileSync(join(below, 'own.mjs'), 'export const from = "file";');
    const load = importFrom(folderURL(below));
    expect(await load('pad')).toMatchObject({ from: 'package' });
    expect(await load('./own.mjs')).toMatchObject({ from: 'file' });
    expect(await load(pathToFileURL(join(below, 'own.mjs')).href)).toBe(await load('./own.mjs'));
    expect(await load('node:os')).toHaveProperty('hostname');
  });

  test('resolves against a file when that is the base', async () => {
    writeFileSync(join(folder, 'other.mjs'), 'export const from = "file";');
    const load = importFrom(pathToFileURL(join(folder, 'one.mjs')).href);
    expect(await load('./other.mjs')).toMatchObject({ from: 'file' });
  });

  test('rejects with the error that import() has', async () => {
    const load = importFrom(folderURL(folder));
    await expect(load('./there-is-none.mjs')).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    await expect(load('there-is-no-package')).rejects.toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    await expect(load('node:nothing')).rejects.toMatchObject({ code: 'ERR_UNKNOWN_BUILTIN_MODULE' });
  });
});

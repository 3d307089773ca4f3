import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installRequire, type RequireSource } from '../../../lib/engine/loader/require.ts';

type Patched = { _load: unknown; _resolveFilename: unknown; prototype: { load: unknown } };
const loader = Module as unknown as Patched;
const { _load, _resolveFilename } = loader;
const { load } = loader.prototype;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite require ')));
});
afterEach(() => {
  Object.assign(loader, { _load, _resolveFilename });
  loader.prototype.load = load;
  const { cache } = createRequire(import.meta.url);
  for (const name of Object.keys(cache)) if (/^\/far\/|offsite require /.test(name)) delete cache[name];
  rmSync(folder, { recursive: true });
});

/** Makes `require` see files in the folder /far, which is on no disk, and what is entered; gives one for a file there. */
const install = (files: Record<string, string>, entered: Record<string, object> = {}) => {
  const read: string[] = [];
  const located: [string, string][] = [];
  const source: RequireSource = {
    entered: (key) => (entered[key] ? { module: entered[key] } : undefined),
    locate: (specifier, importer) => {
      if (files[importer] === undefined) return undefined;
      located.push([specifier, importer]);
      const file = specifier.startsWith('.') ? join(importer, '..', specifier) : `/far/${specifier}.js`;
      if (files[file] === undefined)
        throw Object.assign(new Error(`No ${specifier}`), { code: 'MODULE_NOT_FOUND' });
      return file;
    },
    has: (filename) => files[filename] !== undefined,
    read: (filename) => {
      const text = files[filename];
      if (text === undefined) return undefined;
      read.push(filename);
      return { format: filename.endsWith('.json') ? 'json' : 'commonjs', text };
    },
  };
  installRequire(source);
  return { require: createRequire(join(folder, 'site.js')), read, located };
};

describe('require', () => {
  test('loads modules that are on no disk, with what they require, once', () => {
    const { require, read } = install({
      '/far/a.js':
        "exports.b = require('./b.js'); exports.data = require('./d.json'); exports.again = require('./b.js');",
      '/far/b.js':
        'exports.name = __filename; exports.folder = __dirname; exports.main = require.main === module;',
      '/far/d.json': '\ufeff[1]',
    });
    const a = require('/far/a.js');
    expect(a).toEqual({
      b: { name: '/far/b.js', folder: '/far', main: false },
      data: [1],
      again: a.b,
    });
    expect(a.again).toBe(a.b);
    expect(require('/far/a.js')).toBe(a);
    expect(read).toEqual(['/far/a.js', '/far/b.js', '/far/d.json']);
  });

  test('lets modules require each other in a circle, as they would elsewhere', () => {
    const { require } = install({
      '/far/a.js': "exports.early = 1; exports.b = require('./b.js'); exports.late = 2;",
      '/far/b.js': "exports.seen = { ...require('./a.js') };",
    });
    expect(require('/far/a.js')).toEqual({ early: 1, b: { seen: { early: 1 } }, late: 2 });
  });

  test('takes off what is no JavaScript at a file’s beginning', () => {
    const { require } = install({
      '/far/a.js': '\ufeffexports.a = 1;',
      '/far/b.js': '#!/usr/bin/env node\nexports.b = 1;',
    });
    expect([require('/far/a.js'), require('/far/b.js')]).toEqual([{ a: 1 }, { b: 1 }]);
  });

  test('can ask where a specifier leads, and makes others that do', () => {
    const { require } = install({
      '/far/a.js':
        "exports.where = require.resolve('./b.js'); exports.made = require('module').createRequire(__filename)('./b.js');",
      '/far/b.js': 'exports.b = 1;',
    });
    expect(require('/far/a.js')).toEqual({ where: '/far/b.js', made: { b: 1 } });
    expect(require.resolve('/far/b.js')).toBe('/far/b.js');
    expect(Object.keys(require.cache)).toEqual(expect.arrayContaining(['/far/a.js', '/far/b.js']));
  });

  test('throws what locating throws, and what a module throws, which can be required again', () => {
    const files: Record<string, string> = {
      '/far/a.js': "try { require('./none.js') } catch ({ code }) { exports.code = code }",
      '/far/b.js': "throw new RangeError('m');",
    };
    const { require } = install(files);
    expect(require('/far/a.js')).toEqual({ code: 'MODULE_NOT_FOUND' });
    expect(() => require('/far/b.js')).toThrow(
      expect.objectContaining({ name: 'RangeError', stack: expect.stringContaining('/far/b.js:1:') }),
    );
    files['/far/b.js'] = 'exports.mended = true;';
    expect(require('/far/b.js')).toEqual({ mended: true });
  });

  test('keeps two instances of a file apart that lie in one folder', () => {
    const files = {
      '/far/a.js': "exports.of = require('./c.js').of;",
      '/far/a.js?fresh=2': "exports.of = require('./c.js').of;",
      '/far/c.js': "exports.of = 'first';",
      '/far/c.js?fresh=2': "exports.of = 'second';",
    };
    install(files);
    const { _load: byNode } = loader as { _load: (...args: unknown[]) => { of: string } };
    expect(byNode('/far/a.js', undefined, false).of).toBe('first');
    expect(byNode('/far/c.js?fresh=2', undefined, false).of).toBe('second');
    expect(byNode('/far/c.js', undefined, false).of).toBe('first');
  });

  test('gives what was entered in place of a name, of a system module and of a file', () => {
    const greeter = { greet: () => 'Hello' };
    const { require, located } = install(
      {
        '/far/a.js': "exports.all = [require('os'), require('greeter'), require('./b.js')];",
        '/far/b.js': '',
      },
      { 'node:os': greeter, greeter, '/far/b.js': greeter },
    );
    for (const entered of [
      ...require('/far/a.js').all,
      ...['os', 'node:os', 'greeter'].map((name) => require(name)),
    ]) {
      expect(entered).toBe(greeter);
    }
    expect(located.map(([specifier]) => specifier)).not.toContain('os');
  });

  test('leaves all else to Node', () => {
    mkdirSync(join(folder, 'node_modules', 'pkg'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'pkg', 'index.js'), "exports.os = require('os');");
    writeFileSync(join(folder, 'own.js'), 'exports.own = __filename;');
    const { require, read, located } = install({ '/far/a.js': "exports.path = require('path');" });
    expect(require('./own.js')).toEqual({ own: join(folder, 'own.js') });
    expect(require('pkg').os).toBe(require('node:os'));
    expect(require('/far/a.js').path).toBe(require('node:path'));
    expect(() => require('./none.js')).toThrow(expect.objectContaining({ code: 'MODULE_NOT_FOUND' }));
    expect(() => require('/far/none.js')).toThrow(expect.objectContaining({ code: 'MODULE_NOT_FOUND' }));
    expect([read, located]).toEqual([['/far/a.js'], []]);
  });
});

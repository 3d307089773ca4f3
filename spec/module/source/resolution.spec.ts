import { describe, expect, test } from 'vitest';
import { isBare, realURL, resolveEdge } from '../../../lib/module/source/resolution.ts';
import { edgeError } from '../../../lib/module/source/service.ts';
import { disk, failureOf } from './disk.ts';

const { path, write, url, symlink } = disk();

describe('a specifier', () => {
  test.each(['pkg', '@me/pkg/sub', '#own', '.hidden', 'a.js', '...'])('names a package: %s', (specifier) => {
    expect(isBare(specifier)).toBe(true);
  });
  test.each(['./a.js', '../a', '/a', 'file:///a', 'node:fs', 'https://a.b/c', 'data:,'])(
    'names no package: %s',
    (specifier) => {
      expect(isBare(specifier)).toBe(false);
    },
  );
});

describe('an edge', () => {
  test('leads where Node would go, by import and by require', () => {
    write('package.json', '{"name":"mine","imports":{"#own":"./lib/own.js"}}');
    write('lib/own.js', '');
    write('lib/index.js', '');
    write(
      'node_modules/pkg/package.json',
      '{"exports":{"require":"./r.js","node":"./n.js","default":"./d.js"}}',
    );
    for (const name of ['r.js', 'n.js', 'd.js']) write(`node_modules/pkg/${name}`, '');
    const importer = write('a.js', '');
    expect(resolveEdge('pkg', importer, 'import')).toEqual({ url: url('node_modules/pkg/n.js') });
    expect(resolveEdge('pkg', importer, 'require')).toEqual({ url: url('node_modules/pkg/r.js') });
    expect(resolveEdge('#own', importer, 'import')).toEqual({ url: url('lib/own.js') });
    expect(resolveEdge('./lib', importer, 'require')).toEqual({ url: url('lib/index.js') });
    expect(failureOf(resolveEdge('./lib', importer, 'import')).code).toBe('ERR_UNSUPPORTED_DIR_IMPORT');
    expect(failureOf(resolveEdge('./lib/own', importer, 'import')).code).toBe('ERR_MODULE_NOT_FOUND');
  });

  test.each(['node:fs', 'fs', 'https://example.org/a.js', 'data:text/javascript,0'])(
    'leads to no file: %s',
    (specifier) => {
      expect(resolveEdge(specifier, url('a.mjs'), 'import')).toBeUndefined();
    },
  );

  test('leads to a .ts file where a compiler will have written .js, unless both are there', () => {
    const importer = write('a.ts', '');
    write('b.ts', '');
    write('c.mts', '');
    write('d.cts', '');
    for (const way of ['import', 'require'] as const) {
      expect(resolveEdge('./b.js', importer, way)).toEqual({ url: url('b.ts') });
      expect(resolveEdge('./c.mjs', importer, way)).toEqual({ url: url('c.mts') });
      expect(resolveEdge('./d.cjs', importer, way)).toEqual({ url: url('d.cts') });
      expect(failureOf(resolveEdge('./e.js', importer, way)).code).toMatch(/MODULE_NOT_FOUND$/);
    }
    write('b.js', '');
    expect(resolveEdge('./b.js', importer, 'import')).toEqual({ url: url('b.js') });
  });

  test('leads to where a file really lies, with the query that was asked for', () => {
    const importer = write('a.mjs', '');
    write('real/b.mjs', '');
    symlink('linked', 'real');
    expect(resolveEdge('./linked/b.mjs?x=1', importer, 'import')).toEqual({
      url: `${url('real/b.mjs')}?x=1`,
    });
    expect(realURL(`${url('linked/b.mjs')}?x=1`)).toBe(`${url('real/b.mjs')}?x=1`);
    expect(() => realURL(url('none.mjs'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('that leads nowhere becomes the error that it stands for', () => {
    expect(edgeError({ name: 'NotServedError', code: 'X', message: 'm' })).toMatchObject({
      name: 'NotServedError',
      code: 'X',
      message: 'm',
    });
    const plain = edgeError({ code: 'X', message: 'm' });
    expect([plain instanceof Error, plain.name]).toEqual([true, 'Error']);
  });

  test('to native code names the package, the importer and the specifier', () => {
    write('node_modules/fast/package.json', '{"name":"fast","gypfile":true}');
    write('node_modules/fast/index.js', '');
    const edge = failureOf(resolveEdge('fast', write('a.cjs', ''), 'require'));
    expect(edge).toMatchObject({ name: 'NativeAddonError', siteMayHave: true });
    expect(edge.message).toContain(`${path('a.cjs')} imports 'fast'`);
  });
});

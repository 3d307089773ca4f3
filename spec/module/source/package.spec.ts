import { describe, expect, test } from 'vitest';
import { nativePackage, packageRoot, packageType } from '../../../lib/module/source/package.ts';
import { disk } from './disk.ts';

const { path, write } = disk();

describe('the type of a package', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['is what it says', { 'package.json': '{"type":"module"}' }, 'module'],
    ['is not said', { 'package.json': '{"name":"mine"}' }, undefined],
    ['is nothing that Node does not know', { 'package.json': '{"type":"wasm"}' }, undefined],
    ['is not said by what is no JSON', { 'package.json': '{' }, undefined],
    [
      'is that of the nearest one, even without a name',
      { 'package.json': '{"name":"mine","type":"module"}', 'src/package.json': '{"type":"commonjs"}' },
      'commonjs',
    ],
    [
      'is not that of one further out, if the nearest does not say it',
      { 'package.json': '{"type":"module"}', 'src/package.json': '{}' },
      undefined,
    ],
  ])('%s', (_title, files, type) => {
    for (const [name, text] of Object.entries(files)) write(name, text);
    expect(packageType(path('src/a.js'))).toBe(type);
  });

  test('is CommonJS where somebody installed one that does not say it', () => {
    write('package.json', '{"type":"module"}');
    write('node_modules/pkg/package.json', '{"name":"pkg"}');
    expect(packageType(path('node_modules/pkg/src/a.js'))).toBe('commonjs');
  });
});

describe('the root of a package', () => {
  test('is the nearest folder with a manifest that has a name', () => {
    write('package.json', '{"name":"mine"}');
    write('dist/package.json', '{"type":"commonjs"}');
    expect(packageRoot(path('dist/esm/a.js'))).toBe(path('.'));
    expect(packageRoot(path('a.js'))).toBe(path('.'));
    write('inner/package.json', '{"name":"inner"}');
    expect(packageRoot(path('inner/src/a.js'))).toBe(path('inner'));
  });

  test('is the nearest folder with any manifest, if none has a name, or else its own', () => {
    expect(packageRoot(path('lone/a.js'))).toBe(path('lone'));
    write('package.json', '{}');
    write('dist/package.json', '{}');
    expect(packageRoot(path('dist/deep/a.js'))).toBe(path('dist'));
  });

  test('lies never around the node_modules in which the package is', () => {
    write('package.json', '{"name":"mine"}');
    write('node_modules/pkg/package.json', '{}');
    expect(packageRoot(path('node_modules/pkg/a.js'))).toBe(path('node_modules/pkg'));
    expect(packageRoot(path('node_modules/bare/lib/a.js'))).toBe(path('node_modules/bare/lib'));
  });
});

describe('a package with native code', () => {
  test('is known by its name, whichever of its files is asked for', () => {
    write('node_modules/@me/fast/package.json', '{"name":"@me/fast","dependencies":{"bindings":"1"}}');
    expect(nativePackage(path('node_modules/@me/fast/lib/a.js'))).toBe('@me/fast');
    write('node_modules/slow/package.json', '{"name":"slow","devDependencies":{"bindings":"1"}}');
    expect(nativePackage(path('node_modules/slow/a.js'))).toBeUndefined();
  });

  test("is never the user's own, whose code is JavaScript until it says otherwise by its extension", () => {
    write('package.json', '{"name":"mine","dependencies":{"bindings":"1"}}');
    expect(nativePackage(path('a.js'))).toBeUndefined();
    expect(nativePackage(path('a.node'))).toBe('mine');
    expect(nativePackage(path('node_modules/x.node'))).toBe(path('node_modules/x.node'));
  });
});

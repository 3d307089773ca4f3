import { describe, expect, test } from 'vitest';
import { specifiersOf } from '../../../lib/module/source/specifiers.ts';

const of = (text: string, format?: 'module' | 'commonjs') => specifiersOf(text, '/a.js', format);

describe('what an ES module imports', () => {
  test.each([
    ["import './a.js'", ['./a.js']],
    ["import a, { b as c } from 'pkg'", ['pkg']],
    ["import * as a from './a.js'", ['./a.js']],
    ["export * from './a.js'", ['./a.js']],
    ["export * as a from './a.js'", ['./a.js']],
    ["export { a } from './a.js'", ['./a.js']],
    ["import data from './a.json' with { type: 'json' }", ['./a.json']],
    ["import './a.js'; import './b.js'; import './a.js'", ['./a.js', './b.js']],
    ["import '#own'; import '@me/pkg/sub.js'", ['#own', '@me/pkg/sub.js']],
    ["import 'it\\'s.js'", ["it's.js"]],
    // What may never be wanted is asked for when it is.
    ["export {}; import('./later.js')", []],
    ['export const a = import.meta.url', []],
    ["// import './no.js'\nexport {}", []],
    ['export const a = "import \'./no.js\'"', []],
  ])('%s', async (text, imports) => {
    expect(await of(text)).toMatchObject({ isModule: true, imports });
  });

  test('includes what it requires, if it makes itself a require', async () => {
    const text =
      "import { createRequire } from 'node:module'; createRequire(import.meta.url); require('./a.cjs');";
    expect((await of(text)).requires).toEqual(['./a.cjs']);
    expect((await of("import './a.js'; require('./b.cjs');")).requires).toEqual([]);
  });
});

describe('what a CommonJS module requires', () => {
  test.each([
    ["require('./a.js')", ['./a.js']],
    ['const a = require ( "pkg" )', ['pkg']],
    ["require('./a'); require('./b'); require('./a')", ['./a', './b']],
    ["require('./' + name); require(`./c`); require(name)", []],
    ["myrequire('./a'); a.required('./b')", []],
    ["require('line\nfeed')", []],
    ["import('./later.js')", []],
  ])('%s', async (text, requires) => {
    expect(await of(text, 'commonjs')).toMatchObject({ isModule: false, imports: [], requires });
  });

  test('has names that an import finds, and modules whose names it has too', async () => {
    const text =
      "exports.a = 1; exports['b c'] = 2; Object.defineProperty(exports, '__esModule', { value: true });";
    expect((await of(text, 'commonjs')).names).toEqual(['a', 'b c', '__esModule']);
    expect((await of("module.exports = require('./a');", 'commonjs')).reexports).toEqual(['./a']);
  });
});

describe('a text', () => {
  test('is a module by its syntax where nothing else says so', async () => {
    expect((await of('export {}')).isModule).toBe(true);
    expect((await of('import.meta')).isModule).toBe(true);
    expect((await of('exports.a = 1')).isModule).toBe(false);
    expect((await of('')).isModule).toBe(false);
  });

  test('is what its format says, whatever its syntax says', async () => {
    expect((await of('globalThis.a = 1', 'module')).isModule).toBe(true);
    expect((await of("import './a.js'", 'commonjs')).isModule).toBe(false);
  });

  test.each(['const = ;', '\u0000', "'", '{', '`${'])(
    'that is no JavaScript is left to the engine that will run it: %j',
    async (text) => {
      for (const format of ['module', 'commonjs', undefined] as const) {
        expect(await of(text, format)).toMatchObject({ imports: [], isModule: format === 'module' });
      }
    },
  );
});

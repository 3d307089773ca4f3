import { describe, expect, it } from 'vitest';
import { findNeeds } from '../../lib/module/free-variables.ts';

const free = (script: string) => findNeeds(script).free;

describe('findNeeds', () => {
  it.each([
    ['arguments of its own', '((a, { b, c: [d] }, ...e) => [a, b, d, e])'],
    ['defaults that use earlier arguments', '((a, b = a) => b)'],
    [
      'variables hoisted from below their use',
      '(() => { use(); function use() { return later; } var later; })',
    ],
    ['the name of a function expression', '(function again() { return again; })'],
    ['a caught error', '(() => { try { JSON.parse(""); } catch (error) { return error; } })'],
    [
      'classes with private and static members',
      '(() => class A { #x = 1; static y = A; get x() { return this.#x; } })',
    ],
    ['labels and property names', '((a) => { loop: for (;;) { a.free; ({ free: 1 }); break loop; } })'],
    ['globals of the language', '(() => [undefined, NaN, globalThis, Math, Promise, WeakRef, Intl])'],
    ['globals of Node.js', '(() => [process, Buffer, URL, fetch, setTimeout, structuredClone, WebAssembly])'],
    ['arguments and new.target of a function', '(function () { return [arguments, new.target, this]; })'],
    [
      'this in methods, fields and static blocks',
      '(() => class { a = this; static { this.b = 1; } c() { return this; } })',
    ],
    ['dynamic import', '(() => import("node:os"))'],
  ])('finds nothing free in %s', (_, script) => {
    expect(free(script)).toEqual([]);
  });

  it.each([
    ['a variable that is read', '(() => outer)', ['outer']],
    ['a variable that is written', '(() => { count = 1; count++; })', ['count']],
    ['two variables in the order of use, each once', '(() => [b, a, b])', ['b', 'a']],
    ['a default value', '((a = outer) => a)', ['outer']],
    ['a computed key', '({ [outer]: 1 })', ['outer']],
    ['a shorthand property', '(() => ({ outer }))', ['outer']],
    ['a tagged template', '(() => tag`a${value}`)', ['tag', 'value']],
    ['the class that is extended', '(() => class extends Base {})', ['Base']],
    ['a name declared in another block only', '(() => { { let x = 1; x; } return x; })', ['x']],
    [
      'what only CommonJS files have',
      '(() => [require, module, exports, __filename, __dirname])',
      ['require', 'module', 'exports', '__filename', '__dirname'],
    ],
    ['an operand of dynamic import', '(() => import(name, { with: attributes }))', ['name', 'attributes']],
    ['what prototypes would answer to', '(() => [toString, constructor])', ['toString', 'constructor']],
  ])('finds %s', (_, script, names) => {
    expect(free(script)).toEqual(names);
  });

  it('finds no use in typeof alone, but in any other place', () => {
    expect(free('(() => typeof Deno)')).toEqual([]);
    expect(free('(() => typeof Deno === "object" && Deno.version)')).toEqual(['Deno']);
    expect(free('(() => typeof Deno.version)')).toEqual(['Deno']);
  });

  it('finds this and arguments where an arrow function captures them from outside', () => {
    expect(free('(() => { const x = y; return this; })')).toEqual(['y', 'this']);
    expect(free('(() => [this, x, this])')).toEqual(['this', 'x']);
    expect(free('(() => arguments)')).toEqual(['arguments']);
    expect(free('(() => class { [this.key] = 1 })')).toEqual(['this']);
  });

  it('does not take for global what only this process has on globalThis', () => {
    (globalThis as Record<string, unknown>).offsiteSpecOnly = 1;
    try {
      expect(free('(() => offsiteSpecOnly)')).toEqual(['offsiteSpecOnly']);
    } finally {
      delete (globalThis as Record<string, unknown>).offsiteSpecOnly;
    }
  });

  it('tells import.meta from new.target', () => {
    expect(findNeeds('(() => import.meta.url)')).toEqual({ free: [], importMeta: true });
    expect(findNeeds('(function () { return new.target; })').importMeta).toBe(false);
  });

  it('throws a SyntaxError for what is no script', () => {
    expect(() => findNeeds('(() => {')).toThrow(SyntaxError);
  });
});

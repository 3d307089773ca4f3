import * as os from 'node:os';
import { runInThisContext } from 'node:vm';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { FreeVariableError, FunctorError, KeyTakenError } from '../../lib/module/errors.ts';
import { from, functor } from '../../lib/module/functor.ts';
import { type Functor, functorScript, isFunctor } from '../../lib/module/functor-text.ts';
import { OffsiteError } from '../../lib/wire/errors.ts';

/** Runs a functor as a site does: from its text alone. */
const run = (made: Functor, imports: Record<string, unknown> = {}) =>
  (runInThisContext(functorScript(made)) as (imports: unknown) => unknown)(imports);

const thrownBy = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error as OffsiteError;
  }
  throw new Error('Nothing was thrown');
};

/** A function that is in no reach of TypeScript or of vitest's rewriting. */
const evaluate = (text: string) => runInThisContext(text) as () => object;

describe('functor', () => {
  it('holds its imports and the source of its body, frozen', () => {
    const made = functor({ import: { os: 'node:os' } }, ({ os }) => ({ host: () => os.hostname() }));
    expect(made.import).toEqual({ os: 'node:os' });
    expect(made.source).toContain('os.hostname()');
    expect(Object.isFrozen(made) && Object.isFrozen(made.import)).toBe(true);
  });

  it('makes its module from its text and its imports', () => {
    const made = functor({ import: { os: 'node:os' } }, ({ os }) => ({ host: () => os.hostname() }));
    expect((run(made, { os }) as { host(): string }).host()).toBe(os.hostname());
  });

  it('needs no imports', () => {
    const made = functor(() => ({ answer: 42 }));
    expect(made.import).toEqual({});
    expect(run(made)).toEqual({ answer: 42 });
  });

  it('does not follow later changes of the imports it was given', () => {
    const imports = { a: 'node:os' };
    const made = functor({ import: imports }, () => ({}));
    imports.a = 'node:fs';
    expect(made.import).toEqual({ a: 'node:os' });
  });

  it.each([
    ['an arrow function', '() => ({ answer: 42 })'],
    ['an async arrow function', 'async () => ({ answer: 42 })'],
    ['a function expression', '(function () { return { answer: 42 } })'],
    [
      'a named function',
      '(function made() { return { answer: 42, self: typeof made }.answer && { answer: 42 } })',
    ],
    ['an async function', '(async function () { return { answer: await 42 } })'],
    ['a method', '({ body() { return { answer: 42 } } }).body'],
    ['an async method', '({ async body({ a } = {}) { return { answer: await 42 } } }).body'],
    ['a method with a computed name', '({ ["my" + " body"]() { return { answer: 42 } } })["my body"]'],
    ['a method called async', '({ async() { return { answer: 42 } } }).async'],
    ['a method called function', '({ function() { return { answer: 42 } } }).function'],
    ['a static method', '(class { static body() { return { answer: 42 } } }).body'],
    ['a body that ends in a comment', '(() => { return { answer: 42 } // done\n })'],
  ])('takes %s', async (_, text) => {
    expect(await run(functor(evaluate(text)))).toEqual({ answer: 42 });
  });

  it('runs its body as strict code, as every module is', () => {
    const made = functor(evaluate('() => ({ self: (function () { return this })() })'));
    expect(run(made)).toEqual({ self: undefined });
  });

  it('keeps the line numbers of its source', () => {
    const made = functor(evaluate('() => ({\n\n fail() { throw new Error("third line") } })'));
    const script = runInThisContext(functorScript(made), { filename: 'body.js' }) as () => { fail(): void };
    expect(thrownBy(() => script().fail()).stack).toContain('body.js:3:');
  });

  it('takes a body compiled by esbuild with names kept, and the names are kept', () => {
    const { code } = transformSync('(() => { const host = () => 1; class A {} return { host, A } })', {
      keepNames: true,
      loader: 'ts',
    });
    expect(code).toContain('__name(');
    const module = run(functor(evaluate(code))) as { host: { name: string }; A: { name: string } };
    expect([module.host.name, module.A.name]).toEqual(['host', 'A']);
  });

  it('refuses a body that uses a variable of this process, and names it', () => {
    const secret = os.hostname();
    const error = thrownBy(() => functor(() => ({ secret: () => secret })));
    expect(error).toBeInstanceOf(FreeVariableError);
    expect(error).toMatchObject({
      name: 'FreeVariableError',
      code: 'ERR_OFFSITE_FREE_VARIABLE',
      names: ['secret'],
    });
    expect(error.message).toBe(
      "The functor's body uses `secret`, which lives only in this process; import it, pass it as arguments of a call, " +
        'or define it inside the body.',
    );
  });

  it('names all free variables in one sentence', () => {
    expect(thrownBy(() => functor(evaluate('() => ({ a: [x, y, z, x] })'))).message).toContain(
      'uses `x`, `y` and `z`, which live only in this process; import them',
    );
  });

  it('says where a name may come from that a compiler made of an import statement', () => {
    const error = thrownBy(() => functor(() => ({ host: () => os.hostname() })));
    expect(error).toMatchObject({ names: [expect.stringMatching(/^__vi.*_import_\d+__$/)] });
    expect(error.message).toContain('import statement');
  });

  it('refuses import.meta with advice of its own', async () => {
    // From a data URL, because vitest gives its own object in place of `import.meta`.
    const text = 'export const body = () => ({ url: () => import.meta.url });';
    const { body } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`);
    const error = thrownBy(() => functor(body));
    expect(error).toBeInstanceOf(FunctorError);
    expect(error.message).toContain('uses `import.meta`, which belongs to the file');
  });

  it.each([
    ['what is no function', 'null', 'has to be a function, but it is null'],
    ['a native function', 'Object.keys', 'native, bound or proxied'],
    ['a bound function', '(function () {}).bind(null)', 'native, bound or proxied'],
    ['a proxied function', 'new Proxy(() => ({}), {})', 'native, bound or proxied'],
    ['a class', '(class A {})', 'is a class'],
    ['a generator', '(function* () {})', 'is a generator'],
    ['an async generator', '(async function* () {})', 'is a generator'],
    ['a generator method', '({ *body() {} }).body', 'is a generator'],
    [
      'an accessor',
      'Object.getOwnPropertyDescriptor({ get a() { return {} } }, "a").get',
      'not a function that can be',
    ],
    ['a method that uses super', '({ body() { return super.toString } }).body', 'super'],
    [
      'an arrow function that captures new.target',
      '(() => { function F() { return () => ({ a: new.target }) } return F() })()',
      'new.target',
    ],
    ['code that strict mode forbids', '(function () { with ({}) { return {} } })', 'strict'],
  ])('refuses %s', (_, text, message) => {
    const error = thrownBy(() => functor(evaluate(text)));
    expect(error).toBeInstanceOf(FunctorError);
    expect(error.code).toBe('ERR_OFFSITE_FUNCTOR');
    expect(error.message).toContain(message);
  });

  it.each([
    ['no imports', {}, '`import` is undefined'],
    ['a list of imports', { import: ['node:os'] }, '`import` is an array'],
    ['a URL object for a specifier', { import: { a: new URL('file:///a.js') } }, 'that of `a` is object'],
    ['an empty specifier', { import: { a: '' } }, 'that of `a` is empty'],
    ['no options at all', undefined, '`import` is undefined'],
  ])('refuses %s', (_, options, message) => {
    const error = thrownBy(() => functor(options as { import: Record<string, string> }, () => ({})));
    expect(error).toBeInstanceOf(FunctorError);
    expect(error.message).toContain(message);
  });
});

describe('from', () => {
  it('is the specifier itself at run time', () => {
    expect(from<typeof import('../../lib/module/errors.ts')>('./errors.js')).toBe('./errors.js');
  });
});

describe('isFunctor', () => {
  it('knows functors of any copy of the package, and nothing else', () => {
    expect(isFunctor(functor(() => ({})))).toBe(true);
    expect(isFunctor({ [Symbol.for('offsite.functor')]: true, import: {}, source: '() => ({})' })).toBe(true);
    for (const other of [null, undefined, 1, () => ({}), { import: {}, source: '() => ({})' }]) {
      expect(isFunctor(other)).toBe(false);
    }
  });
});

describe('KeyTakenError', () => {
  it('holds the key', () => {
    const error = new KeyTakenError('node:fs');
    expect(error).toBeInstanceOf(OffsiteError);
    expect(error).toMatchObject({ name: 'KeyTakenError', code: 'ERR_OFFSITE_KEY_TAKEN', key: 'node:fs' });
    expect(error.message).toContain('`node:fs`');
  });
});

// Checked by `tsc --noEmit` alone: nothing here runs.
import { from, functor } from '../../lib/module/functor.ts';
import type { Functor, ImportsOf, ModuleOf, Specifier } from '../../lib/module/functor-text.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const is: <T extends true>() => T;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

// Both the imports and the module are inferred.
const host = functor({ import: { os: 'node:os' } }, ({ os }) => {
  typeOf(os).is<typeof import('node:os')>();
  return { host: () => os.hostname(), cores: 4 };
});
typeOf(host).is<Functor<{ readonly os: 'node:os' }, { host: () => string; cores: number }>>();
is<Equal<ModuleOf<typeof host>, { host: () => string; cores: number }>>();

// An async body's promise is not part of the module's type.
const late = functor({ import: {} }, async () => ({ answer: 42 }));
is<Equal<ModuleOf<typeof late>, { answer: number }>>();

// Without imports.
const bare = functor(() => ({ answer: 42 }));
is<Equal<ModuleOf<typeof bare>, { answer: number }>>();
const bareLate = functor(async () => ({ answer: 42 }));
is<Equal<ModuleOf<typeof bareLate>, { answer: number }>>();
// @ts-expect-error nothing is imported, so there is nothing to take
functor(({ os }) => ({ os }));

// A specifier with a type, one without, and one of a system module without `node:`.
functor(
  {
    import: {
      errors: from<typeof import('../../lib/module/errors.ts')>('./errors.js'),
      unknown: './anything.js',
      fs: 'fs/promises',
      test: 'test',
    },
  },
  ({ errors, unknown, fs, test }) => {
    typeOf(errors).is<typeof import('../../lib/module/errors.ts')>();
    typeOf(unknown).is<Record<string, unknown>>();
    typeOf(unknown.x).is<unknown>();
    typeOf(fs).is<typeof import('node:fs/promises')>();
    // `test` without `node:` is somebody's package.
    typeOf(test).is<Record<string, unknown>>();
    // @ts-expect-error an unknown export can't be called unseen
    unknown.anything();
    return {};
  },
);

// A CommonJS-shaped module has its properties and a default, but is nothing to call.
functor({ import: { assert: 'node:assert', events: 'node:events' } }, ({ assert, events }) => {
  typeOf(assert.default).is<typeof import('node:assert')>();
  assert.equal(1, 1);
  // @ts-expect-error a namespace is no function
  assert(true);
  return { emitter: () => new events.EventEmitter() };
});

// @ts-expect-error an alias that isn't imported
functor({ import: { os: 'node:os' } }, ({ fs }) => ({ fs }));
// @ts-expect-error an export that the module doesn't have
functor({ import: { os: 'node:os' } }, ({ os }) => ({ a: os.hostnames() }));
// @ts-expect-error a specifier is text
functor({ import: { os: new URL('file:///os.js') } }, () => ({}));
// @ts-expect-error a module is an object
functor({ import: {} }, () => 42);
// @ts-expect-error also if it is promised
functor(async () => 42);
// @ts-expect-error `imports` is none of the options
functor({ imports: { os: 'node:os' } }, () => ({}));

is<Equal<ImportsOf<{ a: Specifier<{ x: 1 }> }>, { readonly a: { x: 1 } }>>();

// A module may be any object that is no promise.
class Counter {
  count = 0;
}
is<Equal<ModuleOf<Functor<{ readonly a: 'b' }, Counter>>, Counter>>();
functor(() => new Map<string, number>());
export const counting: Functor<Record<never, string>, Counter> = functor(
  () =>
    new (class {
      count = 0;
    })(),
);

// Any functor is a functor, and is read-only.
export const any: Functor = host;
// @ts-expect-error frozen
any.source = '';

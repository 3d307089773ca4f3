import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { from, functor } from '../../lib/index.ts';
import { type Bench, type Calc, FIXTURES, fixture, rejection } from '../support/sites.ts';

type Os = typeof import('node:os');
interface Greeter {
  greet(name: string): string | Promise<string>;
}

/** Linking, applying functors, and entering modules under a key. */
export function modules(bench: Bench): void {
  describe('modules', () => {
    test('a module is linked by its file URL, as text or as a URL', async () => {
      const site = bench.site();
      expect(await site.link<Calc>(fixture('calc.js').href).add(2, 3)).toBe(5);
      expect(await site.link<Calc>(fixture('calc.js')).add(2, 3)).toBe(5);
    });

    test('a second link gets the same module with its state', async () => {
      const site = bench.site();
      const first = await (await site.link<Calc>(fixture('calc.js'))).hit();
      const second = await (await site.link<Calc>(fixture('calc.js'))).hit();
      expect(second.loads).toBe(1);
      expect(second.hits).toBe(first.hits + 1);
    });

    test('a module of the system is linked by its name', async () => {
      const os = await bench.site().link<Os>({ name: 'node:os' });
      expect(await os.hostname()).toBe(hostname());
    });

    test('a module that is not there rejects with ERR_MODULE_NOT_FOUND', async () => {
      const error = await rejection(bench.site().link(fixture('there-is-nothing.js')));
      expect(error.code).toBe('ERR_MODULE_NOT_FOUND');
      expect(error.message).toMatch(/there-is-nothing/);
    });

    test('a module with a missing dependency rejects with ERR_MODULE_NOT_FOUND and names it', async () => {
      const error = await rejection(bench.site().link(fixture('missing-dependency.js')));
      expect(error.code).toBe('ERR_MODULE_NOT_FOUND');
      expect(error.message).toMatch(/there-is-no-such-module/);
    });

    test('a module that is no JavaScript rejects with a SyntaxError', async () => {
      const source = 'data:text/javascript,export const never = ;';
      expect(await rejection(bench.site().link(source))).toBeInstanceOf(SyntaxError);
    });

    test('a module that throws while it loads rejects with that error', async () => {
      const error = await rejection(bench.site().link(fixture('broken-import.js')));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.code).toBe('E_LOAD');
    });

    test('a call on a module that fails to load rejects with the load error', async () => {
      const error = await rejection(bench.site().link<Calc>(fixture('broken-import.js')).add(1, 2));
      expect(error.code).toBe('E_LOAD');
    });

    test('a functor is applied over there, with its imports resolved against a base', async () => {
      const sum = functor({ import: { calc: from<Calc>('./calc.js') } }, ({ calc }) => ({
        twice: (value: number) => calc.add(value, value),
        answer: 42,
      }));
      const made = await bench.site().apply(sum, { url: new URL('any-name.js', FIXTURES) });
      expect(await made.twice(21)).toBe(42);
      expect(await made.answer).toBe(42);
    });

    test('a functor shares the imports that links already loaded', async () => {
      const site = bench.site();
      const before = await (await site.link<Calc>(fixture('calc.js'))).hit();
      const hits = functor({ import: { calc: from<Calc>('./calc.js') } }, ({ calc }) => ({
        next: () => calc.hit(),
      }));
      expect(await (await site.apply(hits, { url: FIXTURES })).next()).toEqual({
        loads: 1,
        hits: before.hits + 1,
      });
    });

    test('a functor whose import is not there rejects with ERR_MODULE_NOT_FOUND', async () => {
      const lost = functor({ import: { nothing: './there-is-nothing.js' } }, () => ({ ok: true }));
      const error = await rejection(bench.site().apply(lost, { url: FIXTURES }));
      expect(error.code).toBe('ERR_MODULE_NOT_FOUND');
    });

    test('a functor whose body throws rejects with that error', async () => {
      const failing = functor({ import: {} }, () => {
        throw new EvalError('the body fails');
      });
      const error = await rejection(bench.site().apply(failing));
      expect(error).toBeInstanceOf(EvalError);
      expect(error.message).toBe('the body fails');
    });

    test('applying one functor twice makes two modules', async () => {
      const counting = functor({ import: {} }, () => {
        let count = 0;
        return {
          next: () => {
            count += 1;
            return count;
          },
        };
      });
      const [first, second] = await Promise.all([bench.site().apply(counting), bench.site().apply(counting)]);
      await first.next();
      expect([await first.next(), await second.next()]).toEqual([2, 1]);
    });
  });

  describe('modules entered under a key', () => {
    test('a local object is found by later links, and its functions run here', async () => {
      const site = bench.site();
      const greeted: string[] = [];
      await site.enter(
        { name: 'greeter' },
        {
          greet: (name: string) => {
            greeted.push(name);
            return `Hello, ${name}!`;
          },
        },
      );
      expect(await site.link<Greeter>({ name: 'greeter' }).greet('Mozart')).toBe('Hello, Mozart!');
      expect(greeted).toEqual(['Mozart']);
    });

    test('a functor finds an entered module among its imports', async () => {
      const site = bench.site();
      await site.enter({ name: 'politeness' }, { greet: (name: string) => `Good day, ${name}.` });
      const user = functor({ import: { politeness: from<Greeter>('politeness') } }, ({ politeness }) => ({
        greetTwice: async (name: string) => [await politeness.greet(name), await politeness.greet(name)],
      }));
      expect(await site.apply(user).greetTwice('Oz')).toEqual(['Good day, Oz.', 'Good day, Oz.']);
    });

    test('a proxy of a module that lives in the site is entered as that module', async () => {
      const site = bench.site();
      const calc = await site.link<Calc>(fixture('calc.js'));
      await site.enter({ name: 'arithmetic' }, calc);
      const { hits } = await calc.hit();
      expect((await site.link<Calc>({ name: 'arithmetic' }).hit()).hits).toBe(hits + 1);
    });

    test('a module is entered under a URL', async () => {
      const site = bench.site();
      const url = fixture('this-file-does-not-exist.js');
      await site.enter({ url }, { greet: (name: string) => `made up, ${name}` });
      expect(await site.link<Greeter>(url).greet('you')).toBe('made up, you');
    });

    test('a key that is taken is an error with ERR_OFFSITE_KEY_TAKEN, and the first module stays', async () => {
      const site = bench.site();
      await site.enter({ name: 'taken' }, { greet: () => 'first' });
      const error = await rejection(site.enter({ name: 'taken' }, { greet: () => 'second' }));
      expect(error.code).toBe('ERR_OFFSITE_KEY_TAKEN');
      expect(error.message).toMatch(/taken/);
      expect(await site.link<Greeter>({ name: 'taken' }).greet('x')).toBe('first');
    });

    test('a module of the system can be replaced before it is used: a sandbox', async () => {
      const site = bench.fork();
      await site.enter({ name: 'node:os' }, { hostname: () => 'sandbox' });
      const nosy = functor({ import: { os: 'node:os' } }, ({ os }) => ({ host: async () => os.hostname() }));
      expect(await site.apply(nosy).host()).toBe('sandbox');
      expect(await site.link<Os>({ name: 'node:os' }).hostname()).toBe('sandbox');
    });
  });
}

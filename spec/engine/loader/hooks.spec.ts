import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { change, emptyState, type HookedModule } from '../../../lib/engine/loader/hook-state.ts';
import { type Ask, type Hooks, makeHooks } from '../../../lib/engine/loader/hooks.ts';
import type { Edge } from '../../../lib/module/source/service.ts';

type Context = Parameters<Hooks['resolve']>[1];
type Next = Parameters<Hooks['resolve']>[2];

const A = 'file:///far/a.mjs';
const B = 'file:///far/b.mjs';
const module = (imports: Record<string, Edge> = {}, source = 'export {};'): HookedModule => ({
  format: 'module',
  source,
  imports,
});
const native: Edge = {
  name: 'NativeAddonError',
  code: 'ERR_OFFSITE_NATIVE_ADDON',
  message: 'fast has native code',
  siteMayHave: true,
};
const missing: Edge = { code: 'ERR_MODULE_NOT_FOUND', message: `Cannot find './c.mjs' imported from ${A}` };

/** Hooks, what they asked, and what they left to Node, which knows what `node` says. */
const world = (
  how: 'now' | 'later',
  node: Record<string, string> = {},
  answers: Record<string, Edge> = {},
) => {
  const state = emptyState('file:///site/', true);
  const asked: unknown[] = [];
  const left: unknown[] = [];
  const give = <T>(make: () => T): T | Promise<T> => (how === 'now' ? make() : (async () => make())());
  const ask: Ask = {
    resolve: (specifier, importer) =>
      give(() => {
        asked.push([specifier, importer]);
        return answers[specifier];
      }),
    typeScript: (url) =>
      give(() => {
        asked.push(url);
        return url.includes('known') ? module({}, 'made') : undefined;
      }),
  };
  const hooks = makeHooks(state, ask, isBuiltin);
  const next: Next = (specifier, { parentURL }) =>
    give(() => {
      left.push([specifier, parentURL]);
      const url = node[`${parentURL} ${specifier}`] ?? node[specifier];
      if (url === undefined) throw new Error(`Node finds no ${specifier}`);
      return { url };
    });
  const resolve = async (specifier: string, parentURL?: string, conditions = ['node', 'import']) => {
    const context: Context = { conditions, importAttributes: {}, parentURL };
    return hooks.resolve(specifier, context, next);
  };
  const load = async (url: string, context = {}) => hooks.load(url, context, () => give(() => 'by Node'));
  return { state, asked, left, resolve, load, hooks };
};

describe.each(['now', 'later'] as const)('hooks that ask and are answered %s', (how) => {
  test('give a module its imports without asking', async () => {
    const { state, asked, left, resolve, load } = world(how);
    change(state, {
      modules: [
        [A, module({ './b.mjs': { url: B } })],
        [B, module({}, 'b')],
      ],
    });
    expect(await resolve('./b.mjs', A)).toEqual({
      url: B,
      format: 'module',
      importAttributes: {},
      shortCircuit: true,
    });
    expect(await load(B)).toEqual({ format: 'module', source: 'b', shortCircuit: true });
    expect([asked, left]).toEqual([[], []]);
  });

  test('ask for what stands in no text, and give what the answer brought', async () => {
    const { state, asked, resolve } = world(how, {}, { './b.mjs': { url: B } });
    change(state, {
      modules: [
        [A, module()],
        [B, module()],
      ],
    });
    expect(await resolve('./b.mjs', A)).toMatchObject({ url: B });
    expect(asked).toEqual([['./b.mjs', A]]);
  });

  test('leave to Node what is on the same disk and need not be made', async () => {
    const here = 'file:///far/node_modules/pkg/index.js';
    const { state, left, resolve } = world(how, { [here]: here });
    change(state, { modules: [[A, module({ pkg: { url: here } })]] });
    expect(await resolve('pkg', A)).toEqual({ url: here });
    expect(left).toEqual([[here, A]]);
  });

  test('throw what an edge says that leads nowhere', async () => {
    const { state, left, resolve } = world(how, {}, { './dynamic.mjs': missing });
    change(state, { modules: [[A, module({ './c.mjs': missing })]] });
    await expect(resolve('./c.mjs', A)).rejects.toMatchObject(missing);
    await expect(resolve('./dynamic.mjs', A)).rejects.toMatchObject(missing);
    expect(left).toEqual([]);
  });

  test('find native code beside the module, or in the folder of the site, or say why there is none', async () => {
    const beside = world(how, { fast: 'file:///far/node_modules/fast/i.js' });
    const inFolder = world(how, { 'file:///site/[site] fast': 'file:///site/node_modules/fast/i.js' });
    const nowhere = world(how);
    for (const { state } of [beside, inFolder, nowhere])
      change(state, { modules: [[A, module({ fast: native })]] });
    expect(await beside.resolve('fast', A)).toEqual({ url: 'file:///far/node_modules/fast/i.js' });
    expect(await inFolder.resolve('fast', A)).toEqual({ url: 'file:///site/node_modules/fast/i.js' });
    const { name, code, message } = native as Exclude<Edge, { url: string }>;
    await expect(nowhere.resolve('fast', A)).rejects.toMatchObject({ name, code, message });
  });

  test('leave everything else to Node, and ask nothing about it', async () => {
    const own = 'file:///site/own.mjs';
    const { state, asked, resolve, load } = world(how, {
      './other.mjs': own,
      'node:os': 'node:os',
      os: 'node:os',
      'data:text/javascript,0': 'data:text/javascript,0',
      'https://example.org/a.js': 'https://example.org/a.js',
    });
    change(state, { modules: [[A, module()]] });
    expect(await resolve('./other.mjs', own)).toEqual({ url: own });
    expect(await resolve('./other.mjs')).toEqual({ url: own });
    for (const specifier of ['node:os', 'os', 'data:text/javascript,0', 'https://example.org/a.js']) {
      expect(await resolve(specifier, A)).toHaveProperty('url');
    }
    for (const url of [own, 'node:os', 'file:///site/a.tsx', 'file:///site/a.js?b.ts']) {
      expect(await load(url), url).toBe('by Node');
    }
    expect(asked).toEqual([]);
  });

  test('give what was entered in place of a name, of a system module, and of a file, to everybody', async () => {
    const own = 'file:///site/own.mjs';
    const replaced = 'file:///site/replaced.mjs';
    const { state, resolve } = world(how, { './replaced.mjs': replaced }, { './dynamic.mjs': { url: B } });
    change(state, {
      modules: [
        ['offsite:1', module()],
        [A, module({ './b.mjs': { url: B } })],
      ],
      entered: [
        ['greeter', 'offsite:1'],
        ['node:os', 'offsite:1'],
        [replaced, 'offsite:1'],
        [B, 'offsite:1'],
      ],
    });
    for (const importer of [own, A, undefined]) {
      for (const specifier of ['greeter', 'os', 'node:os']) {
        expect(await resolve(specifier, importer)).toMatchObject({ url: 'offsite:1' });
      }
    }
    expect(await resolve('./replaced.mjs', own)).toMatchObject({ url: 'offsite:1' });
    expect(await resolve('./b.mjs', A)).toMatchObject({ url: 'offsite:1' });
    expect(await resolve('./dynamic.mjs', A)).toMatchObject({ url: 'offsite:1' });
    change(state, { entered: [['greeter', undefined]] });
    await expect(resolve('greeter', own)).rejects.toThrow('Node finds no greeter');
  });

  test('ask for all that a script imports which stands in for a module', async () => {
    const script = 'file:///far/functor';
    const { state, asked, resolve } = world(how, { './z.mjs': 'file:///z.mjs' }, { './b.mjs': { url: B } });
    change(state, { modules: [[B, module()]], importers: [script] });
    expect(await resolve('./b.mjs', script)).toMatchObject({ url: B });
    // The parent knows nothing of that importer any more.
    expect(await resolve('./z.mjs', script)).toMatchObject({ url: 'file:///z.mjs' });
    expect(asked).toHaveLength(2);
  });

  test('have TypeScript made into JavaScript to which Node has come by itself, where it can not do that', async () => {
    const { state, asked, load } = world(how);
    expect(await load('file:///site/known.ts')).toMatchObject({ source: 'made' });
    expect(await load('file:///site/known.mts?x=1')).toMatchObject({ source: 'made' });
    expect(await load('file:///site/other.cts')).toBe('by Node');
    expect(asked).toHaveLength(3);
    state.needsTypeScript = false;
    expect(await load('file:///site/known.ts')).toBe('by Node');
    expect(asked).toHaveLength(3);
  });

  test('have nothing to do with what is required', async () => {
    const { state, resolve, load } = world(how, { './b.mjs': 'file:///by-node' });
    change(state, {
      modules: [
        [A, module({ './b.mjs': { url: B } })],
        [B, module()],
      ],
    });
    expect(await resolve('./b.mjs', A, ['node', 'require'])).toEqual({ url: 'file:///by-node' });
    expect(await load(B, { conditions: ['node', 'require'] })).toBe('by Node');
  });
});

describe('hooks', () => {
  test('answer at once where they are asked at once, as Node wants it of hooks in its own thread', () => {
    const { state, hooks } = world('now', { './x.mjs': 'file:///x.mjs' }, { './b.mjs': { url: B } });
    change(state, {
      modules: [
        [A, module({ fast: native })],
        [B, module()],
      ],
    });
    const context: Context = { conditions: [], importAttributes: {}, parentURL: A };
    const next: Next = (specifier) => {
      throw new Error(specifier);
    };
    expect(hooks.resolve('./b.mjs', context, next)).toMatchObject({ url: B });
    expect(() => hooks.resolve('fast', context, next)).toThrow('fast has native code');
    expect(hooks.load(B, {}, () => undefined)).toMatchObject({ shortCircuit: true });
  });

  test('can be made from their source text, as another thread does it', () => {
    const copy = new Function(`return ${String(makeHooks)}`)() as typeof makeHooks;
    const changeCopy = new Function(`return ${String(change)}`)() as typeof change;
    const state = structuredClone(emptyState('file:///site/', false));
    changeCopy(state, { modules: [[B, module()]], entered: [['greeter', B]] });
    const hooks = copy(state, { resolve: () => undefined, typeScript: () => undefined }, isBuiltin);
    const context: Context = { conditions: [], importAttributes: {} };
    expect(hooks.resolve('greeter', context, () => ({ url: 'no' }))).toMatchObject({ url: B });
  });
});

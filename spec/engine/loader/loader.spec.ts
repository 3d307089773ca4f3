import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { change, type HookState } from '../../../lib/engine/loader/hook-state.ts';
import type { Answers } from '../../../lib/engine/loader/install-hooks.ts';
import { Loader, type Parent } from '../../../lib/engine/loader/loader.ts';
import { hashOf, SourceCache } from '../../../lib/engine/loader/source-cache.ts';
import { folderURL, importFrom } from '../../../lib/module/resolve.ts';
import type { Described, Edge, Wish } from '../../../lib/module/source/service.ts';
import { at, described } from './described.ts';

/** What a loader told Node's hooks, which are not installed in the process of these specs. */
const hooks = vi.hoisted(() => ({ state: undefined as unknown, answers: undefined as unknown }));
vi.mock('../../../lib/engine/loader/install-hooks.ts', () => ({
  installHooks: (state: HookState, answers: Answers) => {
    Object.assign(hooks, { state, answers });
    return (changed: Parameters<typeof change>[1]) => change(state, changed);
  },
}));
const state = () => hooks.state as HookState;
const answers = () => hooks.answers as Answers;

const patched = Module as unknown as {
  _load: unknown;
  _resolveFilename: unknown;
  prototype: { load: unknown };
};
const { _load, _resolveFilename } = patched;
const { load: loadFile } = patched.prototype;

let folder: string;
let keeping: MockInstance<SourceCache['keep']>;
beforeEach(() => {
  keeping = vi.spyOn(SourceCache.prototype, 'keep');
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite loader ')));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(async () => {
  // What is kept in the background must not be written into a folder that goes.
  await Promise.all(keeping.mock.results.map(({ value }) => value));
  keeping.mockRestore();
  vi.unstubAllEnvs();
  Object.assign(patched, { _load, _resolveFilename });
  patched.prototype.load = loadFile;
  const { cache } = createRequire(import.meta.url);
  for (const name of Object.keys(cache)) if (name.startsWith('/offsite-spec/')) delete cache[name];
  rmSync(folder, { recursive: true });
});

/** What is kept by what waits for nobody. */
const cached = () => {
  try {
    return readdirSync(join(folder, 'cache', 'offsite', 'modules'));
  } catch {
    return [];
  }
};
interface File {
  readonly text: string;
  readonly imports?: readonly string[];
  readonly more?: Partial<Described>;
}

/** A parent with files in memory, which notes what it is asked. */
class FakeParent implements Parent {
  readonly asked: [method: string, args: unknown[]][] = [];
  readonly files = new Map<string, File>();
  readonly edges = new Map<string, Edge>();
  /** What the site has been told, and when. */
  readonly #told = new Map<string, number>();
  #generation = 0;
  damaged = false;

  constructor(files: Record<string, File>) {
    for (const [name, file] of Object.entries(files)) this.files.set(name, file);
  }

  async ask(method: string, args: unknown[]): Promise<unknown> {
    return this.askSync(method, args);
  }

  askSync(method: string, args: unknown[]): unknown {
    this.asked.push([method, args]);
    if (method === 'sources') return this.#sources(args[0] as string[]);
    if (method === 'describe') {
      const [url, wish] = args as [string, Wish];
      const entry = [...this.files.keys()].find((name) => at(name) === url);
      return entry && { ...this.#closure(wish), entry: url };
    }
    const [specifier, , , wish] = args as [string, string, string, Wish];
    const edge = this.edges.get(specifier);
    return edge && { ...('url' in edge ? this.#closure(wish) : this.#nothing()), edge };
  }

  describedAs(name: string): Described {
    const { text, imports, more } = this.files.get(name)!;
    return described(name, imports, { hash: hashOf(Buffer.from(text)), ...more });
  }

  #nothing() {
    return { generation: ++this.#generation, modules: [] };
  }

  #closure({ installed }: Wish) {
    const generation = ++this.#generation;
    const names = [...this.files.keys()].filter((name) => (this.#told.get(name) ?? Infinity) > installed);
    for (const name of names) this.#told.set(name, generation);
    return { generation, modules: names.map((name) => this.describedAs(name)) };
  }

  #sources(hashes: string[]): Uint8Array[] {
    const texts = [...this.files.values()].map(({ text }) => Buffer.from(this.damaged ? `${text} ` : text));
    return hashes.map((hash, i) => texts.find((bytes) => hashOf(bytes) === hash) ?? texts[i]!);
  }

  /** The hashes that were asked for since the last time. */
  wanted(): string[] {
    return this.asked
      .splice(0)
      .flatMap(([method, args]) => (method === 'sources' ? (args[0] as string[]) : []));
  }
}

const files = (): Record<string, File> => ({
  'a.mjs': { text: "import './b.mjs';", imports: ['b.mjs'] },
  'b.mjs': { text: 'export {};' },
});
const hashes = (of: Record<string, File>) => Object.values(of).map(({ text }) => hashOf(Buffer.from(text)));
const loaderOf = (parent: Parent, sameDisk = false) => new Loader(parent, sameDisk, folderURL(folder));

describe('a loader', () => {
  test('fetches a module with all that it imports in two questions, and tells Node of them', async () => {
    const parent = new FakeParent(files());
    const loader = loaderOf(parent);
    expect(await loader.fetch(at('a.mjs'))).toBe(at('a.mjs'));
    expect(parent.asked.map(([method]) => method)).toEqual(['describe', 'sources']);
    expect(parent.asked[0]![1]).toEqual([at('a.mjs'), { installed: 0, sameDisk: false }]);
    expect(state().modules.get(at('a.mjs'))).toEqual({
      format: 'module',
      source: "import './b.mjs';",
      imports: { './b.mjs': { url: at('b.mjs') } },
    });
    expect([...state().modules.keys()]).toEqual([at('a.mjs'), at('b.mjs')]);
  });

  test('says with each question what it has installed, and asks for no source twice', async () => {
    const parent = new FakeParent(files());
    const loader = loaderOf(parent);
    await Promise.all([loader.fetch(at('a.mjs')), loader.fetch(at('b.mjs')), loader.fetch(at('a.mjs'))]);
    const described = parent.asked.filter(([method]) => method === 'describe');
    expect(described.map(([, [, wish]]) => (wish as Wish).installed)).toEqual([0, 1, 2]);
    expect(parent.wanted()).toEqual(hashes(files()));
  });

  test('finds nothing that the parent has not, and can be asked again', async () => {
    const parent = new FakeParent({});
    const loader = loaderOf(parent);
    expect(await loader.fetch(at('a.mjs'))).toBeUndefined();
    parent.files.set('a.mjs', { text: '' });
    expect(await loader.fetch(at('a.mjs'))).toBe(at('a.mjs'));
  });

  test('asks for no source that lies here in the same place, and for what is another one there', async () => {
    const url = (name: string) => pathToFileURL(join(folder, name)).href;
    for (const name of ['same.mjs', 'other.mjs', 'made.ts'])
      writeFileSync(join(folder, name), `text of ${name}`);
    const parent = new FakeParent({
      'same.mjs': { text: 'text of same.mjs', more: { url: url('same.mjs') } },
      'other.mjs': { text: 'another text', more: { url: url('other.mjs') } },
      'made.ts': { text: 'text of made.ts', more: { url: url('made.ts'), made: true } },
    });
    await loaderOf(parent).fetch(at('same.mjs'));
    expect(parent.wanted()).toEqual(hashes({ a: { text: 'another text' }, b: { text: 'text of made.ts' } }));
    expect(state().modules.get(url('other.mjs'))!.source).toBe('another text');
    expect(state().modules.get(url('same.mjs'))!.source).toBe('text of same.mjs');
  });

  test('asks for no source that has travelled to this host before, unless it is damaged here', async () => {
    await loaderOf(new FakeParent(files())).fetch(at('a.mjs'));
    await vi.waitFor(() => expect(cached()).toEqual(expect.arrayContaining([...hashes(files()), 'tidied'])));
    const parent = new FakeParent(files());
    await loaderOf(parent).fetch(at('a.mjs'));
    expect(parent.asked.map(([method]) => method)).toEqual(['describe']);
    const [damaged] = hashes(files());
    writeFileSync(join(folder, 'cache', 'offsite', 'modules', damaged!), 'damaged');
    const again = new FakeParent(files());
    await loaderOf(again).fetch(at('a.mjs'));
    expect(again.wanted()).toEqual([damaged]);
  });

  test('takes no source that is not what was described, and asks for it again the next time', async () => {
    const parent = new FakeParent(files());
    parent.damaged = true;
    const loader = loaderOf(parent);
    await expect(loader.fetch(at('a.mjs'))).rejects.toThrow(/damaged/);
    expect([cached(), state().modules.size]).toEqual([[], 0]);
    parent.damaged = false;
    parent.wanted();
    expect(await loader.fetch(at('a.mjs'))).toBe(at('a.mjs'));
    expect(parent.wanted()).toEqual(hashes(files()));
  });

  test('passes on what the parent throws, and goes on', async () => {
    const parent = new FakeParent(files());
    const ask = vi.spyOn(parent, 'ask').mockRejectedValueOnce(new RangeError('m'));
    const loader = loaderOf(parent);
    await expect(loader.fetch(at('a.mjs'))).rejects.toThrow(RangeError);
    expect(await loader.fetch(at('a.mjs'))).toBe(at('a.mjs'));
    expect(ask).toHaveBeenCalled();
  });

  test('fetches a module afresh under a URL of its own, with what has changed', async () => {
    const parent = new FakeParent(files());
    const loader = loaderOf(parent);
    await loader.fetch(at('a.mjs'));
    expect(await loader.fetch(at('a.mjs'), { since: Infinity })).toBe(`${at('a.mjs')}?fresh=2`);
    parent.files.set('b.mjs', { text: 'export const b = 2;' });
    expect(await loader.fetch(at('a.mjs'), { since: Infinity })).toBe(`${at('a.mjs')}?fresh=3`);
    expect(state().modules.get(`${at('a.mjs')}?fresh=3`)!.imports).toEqual({
      './b.mjs': { url: `${at('b.mjs')}?fresh=2` },
    });
    expect(await loader.fetch(at('b.mjs'))).toBe(`${at('b.mjs')}?fresh=2`);
  });

  test('locates what a module comes to at run time, or says why there is nothing', async () => {
    const parent = new FakeParent(files());
    const loader = loaderOf(parent);
    parent.edges.set('./b.mjs', { url: at('b.mjs') });
    parent.edges.set('./none.mjs', { name: 'NotServedError', code: 'X', message: 'm' });
    expect(await loader.locate('./b.mjs', at('a.mjs'))).toBe(at('b.mjs'));
    expect(await loader.locate('./unknown.mjs', at('a.mjs'))).toBeUndefined();
    await expect(loader.locate('./none.mjs', at('a.mjs'))).rejects.toMatchObject({
      name: 'NotServedError',
      code: 'X',
    });
  });

  test('asks for a later instance as its parent knows it, and gives the latest of what it finds', async () => {
    const parent = new FakeParent(files());
    parent.edges.set('./b.mjs', { url: at('b.mjs') });
    const loader = loaderOf(parent);
    await loader.fetch(at('b.mjs'));
    await loader.fetch(at('b.mjs'), { since: Infinity });
    parent.asked.length = 0;
    const second = `${at('b.mjs')}?fresh=2`;
    for (const way of ['now', 'soon'] as const) {
      expect(await answers()[way].resolve('./b.mjs', second)).toEqual({ url: second });
    }
    expect(parent.asked.map(([, [, importer]]) => importer)).toEqual([at('b.mjs'), at('b.mjs')]);
  });

  test('asks for the module for which a script stands in', async () => {
    const parent = new FakeParent(files());
    parent.edges.set('./b.mjs', { url: at('b.mjs') });
    const loader = loaderOf(parent);
    loader.standIn('file:///site/functor', at('a.mjs'));
    expect([...state().importers]).toEqual(['file:///site/functor']);
    expect(await answers().soon.resolve('./b.mjs', 'file:///site/functor')).toEqual({ url: at('b.mjs') });
    expect(parent.asked[0]![1].slice(0, 3)).toEqual(['./b.mjs', at('a.mjs'), 'import']);
  });

  test('is told what is asked at once while a fetch is under way, and misses nothing of either', async () => {
    const parent = new FakeParent(files());
    parent.edges.set('./none.mjs', { code: 'X', message: 'm' });
    const loader = loaderOf(parent);
    loader.install();
    let between = () => {};
    vi.spyOn(parent, 'ask').mockImplementation(async (method, args) => {
      const answer = parent.askSync(method, args);
      between();
      return answer;
    });
    // After the modules have been described, and before their sources are here.
    between = () => {
      between = () => {};
      expect(answers().now.resolve('./none.mjs', at('b.mjs'))).toMatchObject({ code: 'X' });
      parent.edges.set('./b.mjs', { url: at('b.mjs') });
      expect(answers().now.resolve('./b.mjs', at('a.mjs'))).toEqual({ url: at('b.mjs') });
      expect([...state().modules.keys()]).toEqual([at('a.mjs'), at('b.mjs')]);
    };
    await loader.fetch(at('a.mjs'));
    await loader.fetch(at('b.mjs'));
    const [, [, last]] = parent.asked.filter(([method]) => method === 'describe').at(-1)!;
    expect((last as Wish).installed).toBe(3);
  });
});

describe('CommonJS from elsewhere', () => {
  test('is imported through what stands in for it, and required by others', async () => {
    const parent = new FakeParent({
      'a.cjs': {
        text: "exports.b = require('./b.cjs').b; exports.later = () => require('./' + 'later.json');",
        more: {
          format: 'commonjs',
          names: ['b', 'later', 'none'],
          requires: { './b.cjs': { url: at('b.cjs') } },
        },
      },
      'b.cjs': { text: 'exports.b = __filename;', more: { format: 'commonjs' } },
    });
    const loader = loaderOf(parent);
    await loader.fetch(at('a.cjs'));
    const { format, source } = state().modules.get(at('a.cjs'))!;
    expect(format).toBe('module');
    const data = `data:text/javascript,${encodeURIComponent(String(source))}`;
    const module = (await importFrom(folderURL(folder))(data)) as Record<string, unknown>;
    expect(module).toMatchObject({ b: '/offsite-spec/b.cjs', none: undefined });
    expect(module['module.exports']).toBe(module.default);
    // What stands in no text is asked for at once, and only the first time.
    parent.files.set('later.json', { text: '[1]', more: { format: 'json' } });
    parent.edges.set('./later.json', { url: at('later.json') });
    parent.asked.length = 0;
    const { later } = module as { later(): unknown };
    expect([later(), later()]).toEqual([[1], [1]]);
    expect(parent.asked.map(([method]) => method)).toEqual(['resolve', 'sources']);
    expect(parent.asked[0]![1].slice(0, 3)).toEqual(['./later.json', at('a.cjs'), 'require']);
  });

  test('throws what its parent says, and finds native code in the folder of the site', async () => {
    mkdirSync(join(folder, 'node_modules', 'fast'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'fast', 'index.js'), "exports.fast = 'here';");
    const native = {
      name: 'NativeAddonError',
      code: 'ERR_OFFSITE_NATIVE_ADDON',
      message: 'm',
      siteMayHave: true as const,
    };
    const parent = new FakeParent({
      'n.cjs': {
        text: "exports.fast = require('fast').fast; try { require('slow') } catch (cause) { exports.cause = cause }",
        more: { format: 'commonjs', requires: { fast: native, slow: native } },
      },
    });
    const loader = loaderOf(parent);
    await loader.fetch(at('n.cjs'));
    const { fast, cause } = createRequire(import.meta.url)('/offsite-spec/n.cjs');
    expect(fast).toBe('here');
    expect(cause).toMatchObject({
      name: 'NativeAddonError',
      code: native.code,
      requireStack: ['/offsite-spec/n.cjs'],
    });
  });
});

describe('what is entered', () => {
  test('is found by import and by require, until it is forgotten', async () => {
    const loader = loaderOf(new FakeParent({}));
    const greeter = { greet: () => 'Hello' };
    loader.enter('greeter', greeter, ['greet']);
    const url = state().entered.get('greeter')!;
    const { source } = state().modules.get(url)!;
    const data = `data:text/javascript,${encodeURIComponent(String(source))}`;
    expect(await importFrom(folderURL(folder))(data)).toMatchObject({
      default: greeter,
      greet: greeter.greet,
    });
    const require = createRequire(import.meta.url);
    expect(require('greeter')).toBe(greeter);
    loader.forget('greeter');
    expect(state().entered.has('greeter')).toBe(false);
    expect(() => require('greeter')).toThrow(expect.objectContaining({ code: 'MODULE_NOT_FOUND' }));
  });

  test('is something else each time, though under the same name', () => {
    const loader = loaderOf(new FakeParent({}));
    loader.enter('greeter', {}, []);
    const first = state().entered.get('greeter');
    loader.forget('greeter');
    loader.enter('greeter', {}, []);
    expect(state().entered.get('greeter')).not.toBe(first);
  });
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ByReference,
  functor,
  type Remote,
  type RemoteManager,
  registerClass,
  registerType,
  withOptions,
} from '../../lib/index.ts';
import { type Bench, rejection } from '../support/sites.ts';

/** The files of a package on this disk, which a site may not have. */
const FILES = {
  'package.json': '{ "name": "shop", "type": "module" }',
  'main.ts': `
    import { createRequire } from 'node:module';
    import { price, type Money } from './lib/price.js';
    import settings from './lib/settings.json' with { type: 'json' };
    import counter, { next } from 'counter';
    import { shout } from 'shouter/loud';
    enum Tax { low = 7, high = 19 }
    const require = createRequire(import.meta.url);
    export const total = (count: number): Money => price(count) + settings.fee;
    export const tax = () => Tax.high;
    export const where = () => import.meta.url;
    export const count = () => [next(), counter.next(), require('counter').next()];
    export const loud = (text: string) => shout(text);
    export const lazily = async (name: string) => (await import(\`./lib/\${name}.js\`)).default;
    export const required = (name: string) => require('./lib/' + name);
    export const fail = (): never => { throw new RangeError('sold out'); };
  `,
  'lib/price.ts': 'export type Money = number;\nexport const price = (count: number): Money => count * 2;\n',
  'lib/settings.json': '{ "fee": 1 }',
  'lib/lazy.js': 'export default "lazy"; export const other = 1;',
  'lib/old.cjs': 'exports.name = __filename; exports.deep = require("./settings.json").fee;',
  'node_modules/counter/package.json': '{ "name": "counter", "main": "./index" }',
  'node_modules/counter/index.js':
    'let n = 0; exports.next = () => ++n; exports.helper = require("./helper");',
  'node_modules/counter/helper.js': 'module.exports = "help";',
  'node_modules/shouter/package.json':
    '{ "name": "shouter", "exports": { "./loud": { "import": "./loud.mjs", "require": "./loud.cjs" } } }',
  'node_modules/shouter/loud.mjs': 'export const shout = (text) => text.toUpperCase() + "!";',
  'node_modules/shouter/loud.cjs': 'throw new Error("the other one was asked for")',
  'node_modules/metal/package.json': '{ "name": "metal", "main": "index.js", "gypfile": true }',
  'node_modules/metal/index.js': 'module.exports = require("./build/Release/metal.node")',
  'node_modules/metal/build/Release/metal.node': 'no machine code at all',
  'node_modules/both/package.json':
    '{ "name": "both", "exports": { "module-sync": "./esm.mjs", "default": "./lib/index.cjs" } }',
  'node_modules/both/esm.mjs': 'import { name } from "./name.mjs"; export const both = name;',
  'node_modules/both/name.mjs': 'export const name = "both";',
  'node_modules/both/lib/index.cjs': 'exports.both = require("..").both;',
  'node_modules/both/index.js': 'exports.both = "both";',
  'both.cjs': 'exports.both = require("both").both;',
  'plain.js':
    'const { resolve } = import.meta; const all = [typeof require, typeof module, typeof exports, typeof __dirname, typeof fs, typeof h];' +
    'export const look = () => [all, import.meta.resolve("./any.txt"), resolve("node:os"), import.meta.resolve("counter")];',
  'late.js': 'import { here } from "./not-yet.js"; export const late = here;',
  'heavy.js': 'import metal from "metal"; export const weigh = () => metal.weigh();',
  'lost.js': 'import { nothing } from "./there-is-none.js"; export const lost = nothing;',
  'broken.ts': 'import { broken } from "./syntax.ts"; export { broken };',
  'syntax.ts': 'export const broken: = 3;',
  'state.js':
    'import { step } from "./step.js"; import { kept } from "./kept.js"; export const now = () => step(kept());',
  'step.js': 'export const step = (value) => value + 1;',
  'kept.js': 'let value = 0; export const kept = () => value++;',
  'nosy.js':
    'import { readFileSync } from "node:fs"; import * as fs from "fs"; import { createRequire } from "node:module";' +
    'export const look = (path) => [readFileSync(path), fs.default.readFileSync(path), createRequire(import.meta.url)("fs").readFileSync(path)];' +
    'export const names = () => Object.keys(fs).sort();',
  'citizen.js': `
    import { byReference, callSignal, LimitError, registerClass, registerType, RemoteTarget } from 'offsite/site';
    export class Box { constructor(size) { this.size = size; } }
    registerClass(Box, 'spec.travel.Box');
    registerType({
      name: 'spec.travel.Secret',
      isApplicable: (value) => value instanceof Secret,
      serialize: (secret) => secret.tell(),
      deserialize: (text) => new Secret(text),
    });
    class Secret { #text; constructor(text) { this.#text = text; } tell() { return this.#text; } }
    class Counter extends RemoteTarget { #count = 0; next() { return ++this.#count; } }
    export const counters = () => [new Counter(), byReference({ next: () => 7 })];
    export const grow = (box, secret) => [new Box(box.size + 1), box instanceof Box, new Secret(secret.tell() + '!')];
    export const refuse = () => { throw new LimitError('ERR_OFFSITE_CALLS', 'calls', 1, 'One call is the most.'); };
    let why;
    export const wait = (begun) => new Promise((_, reject) => {
      const signal = callSignal();
      signal.addEventListener('abort', () => { why = signal.reason.name; reject(signal.reason); });
      begun();
    });
    export const reason = () => why;
    export const unbounded = () => callSignal() === undefined;
  `,
  'guest.js': 'import { greet } from "host"; export const meet = (name) => greet(name);',
} as const;

interface Shop {
  total(count: number): number;
  tax(): number;
  where(): string;
  count(): number[];
  loud(text: string): string;
  lazily(name: string): Promise<string>;
  required(name: string): { name: string; deep: number };
  fail(): never;
}

class Box {
  readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
}
registerClass(Box, 'spec.travel.Box');

class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  tell(): string {
    return this.#text;
  }
}
registerType({
  name: 'spec.travel.Secret',
  isApplicable: (value): value is Secret => value instanceof Secret,
  serialize: (secret) => secret.tell(),
  deserialize: (text: string) => new Secret(text),
});
declare module '../../lib/module/remote.ts' {
  interface RegisteredClasses {
    Secret: Secret;
  }
}

interface Citizen {
  grow(box: Box, secret: Secret): [Box, boolean, Secret];
  counters(): ByReference<{ next(): number }>[];
  refuse(): never;
  wait(begun: () => void): Promise<never>;
  reason(): string | undefined;
  unbounded(): boolean;
}

/** Modules that lie on this disk, and all that they import, run in a site whether it has that disk or not. */
export function travel(bench: Bench): void {
  describe('modules of this disk', () => {
    let folder: string;
    const write = (name: string, text: string) => {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    };
    const at = (name: string) => pathToFileURL(join(folder, name)).href;
    const shop = async (site: RemoteManager = bench.site()): Promise<Remote<Shop>> =>
      site.link<Shop>(at('main.ts'));
    beforeAll(() => {
      // Within the project, which a bare host does not have.
      folder = mkdtempSync(join(process.cwd(), '.spec-travel-'));
      for (const [name, text] of Object.entries(FILES)) write(name, text);
      // As npm installs a folder.
      symlinkSync(process.cwd(), join(folder, 'node_modules', 'offsite'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('come with TypeScript, JSON, and packages of both kinds', async () => {
      const module = await shop();
      expect(await module.total(20)).toBe(41);
      expect(await module.tax()).toBe(19);
      expect(await module.loud('hello')).toBe('HELLO!');
    });

    test('share one instance of a package, however it is imported', async () => {
      const [first, second, third] = await (await shop(bench.fork())).count();
      expect([first, second, third]).toEqual([1, 2, 3]);
    });

    test('get of a package with several forms one that each version of Node.js can load', async () => {
      expect(await bench.site().link<{ both: string }>(at('both.cjs')).both).toBe('both');
    });

    test('know where they lie on this disk, and throw with the lines of their source', async () => {
      const module = await shop();
      expect(await module.where()).toBe(at('main.ts'));
      const error = await rejection(module.fail());
      expect(error).toBeInstanceOf(RangeError);
      expect(error.stack).toMatch(/main\.ts:16:\d+/);
    });

    test('import and require what they name only at run time', async () => {
      const module = await shop();
      expect(await module.lazily('lazy')).toBe('lazy');
      expect(await module.required('old.cjs')).toEqual({ name: join(folder, 'lib/old.cjs'), deep: 1 });
      expect((await rejection(module.lazily('none'))).code).toBe('ERR_MODULE_NOT_FOUND');
      expect((await rejection(module.required('none.cjs'))).code).toBe('MODULE_NOT_FOUND');
    });

    test('that import what is not there name the importer and the specifier', async () => {
      const error = await rejection(bench.site().link(at('lost.js')));
      expect(error.code).toBe('ERR_MODULE_NOT_FOUND');
      expect(error.message).toMatch(/there-is-none\.js' imported from .*lost\.js/);
    });

    test('can be linked when what they import has come', async () => {
      const site = bench.fork();
      expect((await rejection(site.link(at('late.js')))).code).toBe('ERR_MODULE_NOT_FOUND');
      write('not-yet.js', 'export const here = "here";');
      expect(await site.link<{ late: string }>(at('late.js')).late).toBe('here');
      rmSync(join(folder, 'not-yet.js'));
    });

    test('find no variables but their own, and resolve as at home', async () => {
      const plain = await bench.site().link<{ look(): unknown[] }>(at('plain.js'));
      expect(await plain.look()).toEqual([
        Array(6).fill('undefined'),
        at('any.txt'),
        'node:os',
        at('node_modules/counter/index.js'),
      ]);
    });

    test('that import what is no TypeScript say where', async () => {
      const error = await rejection(bench.site().link(at('broken.ts')));
      expect(error.message).toMatch(/syntax\.ts:1:\d+/);
    });

    test('with native code are never sent', async () => {
      const error = await rejection(bench.site().link(at('heavy.js')));
      // Where the disk is the same, Node itself tries to load it.
      if (error.code === 'ERR_DLOPEN_FAILED') return;
      expect(error).toMatchObject({ name: 'NativeAddonError', code: 'ERR_OFFSITE_NATIVE_ADDON' });
      expect(error.message).toMatch(/metal has native code/);
    });

    test('are loaded again beside the old ones when they are wished fresh, with what has changed', async () => {
      const site = bench.fork();
      interface State {
        now(): number;
      }
      const old = await site.link<State>(at('state.js'));
      expect([await old.now(), await old.now()]).toEqual([1, 2]);
      write('step.js', 'export const step = (value) => value + 100;');
      expect(await (await site.link<State>(at('state.js'))).now()).toBe(3);
      const fresh = await site.link<State>(at('state.js'), { fresh: true });
      // What has not changed is shared, and keeps its state.
      expect(await fresh.now()).toBe(103);
      expect(await old.now()).toBe(5);
      expect(await (await site.link<State>(at('state.js'))).now()).toBe(105);
      write('step.js', 'export const step = (value) => value + 1000;');
      await site.forget(at('state.js'));
      expect(await (await site.link<State>(at('state.js'))).now()).toBe(1006);
      write('step.js', FILES['step.js']);
    });

    test('are imported by a functor that stands beside them', async () => {
      const made = functor({ import: { price: './lib/price.js', counter: 'counter', os: 'os' } }, (all) => ({
        price: (count: number) => (all.price as { price(count: number): number }).price(count),
        helper: () => (all.counter as { helper: string }).helper,
        host: () => all.os.hostname(),
      }));
      const module = await bench.site().apply(made, at('main.ts'));
      expect(await module.price(4)).toBe(8);
      expect(await module.helper()).toBe('help');
    });

    test('may import offsite/site, and what they say by it is known to the site', async () => {
      const module = await bench.site().link<Citizen>(at('citizen.js'));
      const [box, isBox, secret] = await module.grow(new Box(4), new Secret('x'));
      expect([box, isBox, secret.tell()]).toEqual([new Box(5), true, 'x!']);
      expect(box).toBeInstanceOf(Box);
      const counters = await module.counters();
      expect([await counters[0]!.next(), await counters[0]!.next(), await counters[1]!.next()]).toEqual([
        1, 2, 7,
      ]);
      const error = await rejection(module.refuse());
      // By its name: what the fixtures import is a second copy of the package in this process, and the later one counts.
      expect(error).toMatchObject({
        name: 'LimitError',
        code: 'ERR_OFFSITE_CALLS',
        limit: 'calls',
        bound: 1,
      });
    });

    test('learn by callSignal that they were given up, and why', async () => {
      const module = await bench.site().link<Citizen>(at('citizen.js'));
      const controller = new AbortController();
      class Bored extends Error {
        override name = 'Bored';
      }
      const waiting = withOptions(module.wait, { signal: controller.signal })(() =>
        controller.abort(new Bored()),
      );
      expect(await rejection(waiting)).toBeInstanceOf(Bored);
      expect(await module.reason()).toBe('Bored');
      expect(await module.unbounded()).toBe(true);
    });

    test('see what was entered, also in place of a system module', async () => {
      const site = bench.fork();
      const restricted = await site.apply(functor(() => ({ readFileSync: (path: string) => `not ${path}` })));
      await site.enter({ name: 'node:fs' }, restricted);
      await site.enter({ name: 'host' }, { greet: (name: string) => `Welcome, ${name}!` });
      const nosy = await site.link<{ look(path: string): string[]; names(): string[] }>(at('nosy.js'));
      expect(await nosy.look('/etc/passwd')).toEqual(Array(3).fill('not /etc/passwd'));
      expect(await nosy.names()).toEqual(['default', 'readFileSync']);
      const guest = await site.link<{ meet(name: string): Promise<string> }>(at('guest.js'));
      expect(await guest.meet('Oz')).toBe('Welcome, Oz!');
    });
  });
}

import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { applyFunctor, type FunctorText, functorFile, ownBase } from '../module/apply.ts';
import { namesOf } from '../module/names.ts';
import { folderURL, type Import, importFrom, keyOf, type ModuleKey } from '../module/resolve.ts';
import { isTypeScript } from '../module/source/strip.ts';
import { type LinkWish, ModuleTable } from '../module/table.ts';
import { byReference, referenceOf } from '../wire/reference/reference.ts';
import { loadOnce } from './failed-loads.ts';
import { makeLoader } from './loader/loader.deferred.ts';
import type { Loader, Parent } from './loader/loader.ts';
import { SHARE_BELOW, type SiteReport, siteReport } from './tree.ts';
import { type Tell, watchReference } from './watch.ts';

/** How much earlier than the clock a file system's times may be, in milliseconds: they are taken from a slower one. */
const CLOCK_SLACK = 20;

/**
 * What a link gives for a module: itself, or, if the module lives in another site, an object that goes through this
 * one, so that whoever entered a module gets a proxy when linking it, like everybody else.
 */
const view = (module: object): object => {
  if (!referenceOf(module)) return byReference(module);
  return byReference(new Proxy({}, { get: (_target, key) => Reflect.get(module, key) }));
};

/** What a manager can ask of its site: the main object of the engine's end of the session. */
export class SiteService {
  readonly #table = new ModuleTable((name, base, wish) => this.#load(name, base, wish));
  readonly #parent: Parent;
  /** Whether the parent's files lie here in the same places, as in its threads and its own child processes. */
  readonly #sameDisk: () => boolean;
  #loader: Loader | undefined;
  /** One view for each module, so that linking twice gives the same reference. */
  readonly #views = new WeakMap<object, object>();
  readonly #viewed = new WeakMap<object, object>();
  readonly #imports = new Map<string, Import>();
  /** What is not to be taken from where Node holds it. */
  readonly #forgotten = new Set<string>();
  /** When Node first read a file of the parent's by itself, in milliseconds since 1970. */
  #readSince = Infinity;
  #freshCount = 1;

  constructor(parent: Parent, sameDisk: () => boolean) {
    this.#parent = parent;
    this.#sameDisk = sameDisk;
  }

  /** Loads a module and gives a reference to it. */
  async link(key: ModuleKey, wish: LinkWish = {}): Promise<object> {
    return this.#view(await this.#link(key, wish));
  }

  /** Makes a functor's module and gives a reference to it; `base` resolves the imports. */
  async apply(functor: FunctorText, base?: ModuleKey): Promise<object> {
    const at = this.#base(base);
    const beside = base !== undefined && this.#standsElsewhere(at);
    const link = (specifier: string) =>
      beside ? this.#linkBeside(keyOf(specifier), at) : this.#table.link(keyOf(specifier), at);
    return this.#view(await applyFunctor(functor, at, link));
  }

  /** Installs a module under a key; `names` are what it exports, if it lives elsewhere. */
  enter(key: ModuleKey, module: object, names?: readonly string[]): void {
    const name = this.#table.enter(key, ownBase(), module);
    this.#modules.enter(name, module, names ?? (referenceOf(module) ? [] : namesOf(module)));
  }

  /** Drops a module from the table: the next link loads it again, or another one may be entered. */
  forget(key: ModuleKey): void {
    const name = this.#table.forget(key, ownBase());
    this.#forgotten.add(name);
    this.#modules.forget(name);
  }

  /** What this site tells of itself and of the sites that it has forked, to somebody who waits so many milliseconds. */
  tree(timeout: number): Promise<SiteReport> {
    return siteReport(timeout * SHARE_BELOW);
  }

  /** The names that a module of this site exports, for a site in which it is entered. */
  names(module: object): string[] {
    return namesOf(module);
  }

  /**
   * Tells once when the site is gone in which a value lives that the manager knows through this one. Returns what takes
   * that back, or nothing if the value lives here, and so ends with this site.
   */
  watch(value: object, tell: Tell): (() => void) | undefined {
    return watchReference(this.#viewed.get(value) ?? value, tell);
  }

  get #modules(): Loader {
    this.#loader ??= makeLoader(this.#parent, this.#sameDisk(), ownBase());
    return this.#loader;
  }

  async #link(key: ModuleKey, wish: LinkWish): Promise<object> {
    if (wish.origin !== 'parent' || ('url' in key && key.url.startsWith('file:'))) {
      return this.#table.link(key, ownBase(), wish);
    }
    // A name or path of the parent's is another one than the same of this site.
    const entered = this.#table.entered(key, ownBase());
    if (entered) return entered;
    const url = await this.#modules.fetch('url' in key ? key.url : key.name, this.#renewal(wish));
    if (url === undefined) throw new Error(`The parent has no module ${JSON.stringify(key)}.`);
    return this.#import(ownBase())(url);
  }

  #renewal({ fresh }: LinkWish): { since: number } | undefined {
    return fresh ? { since: this.#readSince - CLOCK_SLACK } : undefined;
  }

  /** Loads what is not in the table: from the parent's disk, if the module is there, or as Node does it. */
  async #load(name: string, base: string, { origin, fresh }: LinkWish): Promise<object> {
    const importer = this.#import(base);
    // Node remembers a failure under its URL; what was mended gets another one.
    const load = (url: string) =>
      importer(url).catch((cause: unknown) => {
        this.#forgotten.add(name);
        throw cause;
      });
    // Names are packages of the site and Node's own modules, which are JavaScript.
    if (!name.startsWith('file:')) return load(name);
    const again = this.#forgotten.delete(name) || fresh;
    const ours =
      origin === 'site' || (!again && !isTypeScript(new URL(name).pathname) && this.#liesHere(name));
    const url = ours ? undefined : await this.#modules.fetch(name, this.#renewal({ fresh: again }));
    if (url !== undefined) return load(url);
    this.#readSince = Math.min(this.#readSince, Date.now());
    this.#modules.expectFiles();
    if (!again) return load(name);
    this.#modules.forget(name);
    this.#freshCount++;
    return load(`${name}${name.includes('?') ? '&' : '?'}fresh=${this.#freshCount}`);
  }

  /** Links what a functor imports that stands beside a module of the parent's. */
  async #linkBeside(key: ModuleKey, base: string): Promise<object> {
    const entered = this.#table.entered(key, base);
    if (entered) return entered;
    const specifier = 'url' in key ? key.url : key.name;
    const isFile = !isBuiltin(specifier) && /^(?:file:|\.{0,2}\/|[^:]*$)/.test(specifier);
    const url = isFile ? await this.#modules.locate(specifier, base) : undefined;
    return url === undefined
      ? this.#table.link(key, base)
      : this.#table.link({ url }, base, { origin: 'site' });
  }

  /** Whether a functor's base may be a module of the parent's, whose imports are then the parent's too. */
  #standsElsewhere(base: string): boolean {
    if (!base.startsWith('file:') || base.endsWith('/') || this.#liesHere(base)) return false;
    this.#modules.standIn(functorFile(base), base);
    return true;
  }

  /** Whether a file of the parent's is here because its disk is; what travelled to the parent itself is not. */
  #liesHere(url: string): boolean {
    return this.#sameDisk() && existsSync(fileURLToPath(url));
  }

  #import(base: string): Import {
    let load = this.#imports.get(base);
    if (!load) {
      const importer = importFrom(base);
      load = (specifier) => loadOnce(() => importer(specifier));
      this.#imports.set(base, load);
    }
    return load;
  }

  #base(key: ModuleKey | undefined): string {
    if (!key) return ownBase();
    if ('url' in key) return new URL(key.url, ownBase()).href;
    return new URL(`node_modules/${key.name}/`, folderURL(process.cwd())).href;
  }

  #view(module: object): object {
    let known = this.#views.get(module);
    if (!known) {
      known = view(module);
      this.#views.set(module, known);
      this.#viewed.set(known, module);
    }
    return known;
  }
}

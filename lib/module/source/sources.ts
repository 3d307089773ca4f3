import { realpathSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NotServedError } from '../errors.ts';
import { keyOf, type ModuleKey } from '../resolve.ts';
import { closureOf, type Found, follow, notServed } from './closure.ts';
import { isBare, realURL, resolveEdge } from './resolution.ts';
import { Roots } from './roots.ts';
import { type Closure, type Edge, edgeError, type SourceService, type Way, type Wish } from './service.ts';
import { upstream } from './upstream.ts';

/**
 * What may be asked for by a name that no served module has in its text: code and data that Node loads. Not what has no
 * extension, because `.env` and private keys have none either.
 */
const LOADABLE = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.json', '.wasm', '.node']);

/** What a site asks on behalf of another one, whose knowledge it does not have. */
const EVERYTHING: Wish = { installed: 0, sameDisk: false };

/** What Node says of a module that is not there. */
const notThere = (specifier: string, cause: unknown): unknown => {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return cause;
  const what = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
  return Object.assign(new Error(`Cannot find module '${what}'`, { cause }), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
};

/**
 * Serves modules on this host's disk to one site: those that were linked and what they import, and nothing else,
 * because a site is not to read this disk at will.
 */
export class Sources implements SourceService {
  readonly #roots: Roots;
  /** Where what was linked really lies, by what its manager calls it; importers of functors among them. */
  readonly #linked = new Map<string, string>();
  /** Why what was to be served is not. */
  readonly #missing = new Map<string, unknown>();
  /** The generation in which each module was described. */
  readonly #described = new Map<string, number>();
  readonly #offered = new Map<string, Buffer>();
  /** Modules that travelled to this site, and that it passes on to its own. */
  readonly #upstream = upstream();
  readonly #passedOn = new Set<string>();
  #generation = 0;

  /**
   * `serve` are more folders from which modules may be imported; `all` says whether the site has this disk anyway.
   * Throws if a folder is not there.
   */
  constructor(serve: readonly string[] = [], all: () => boolean = () => false) {
    this.#roots = new Roots(all);
    for (const folder of serve) this.#roots.add(realpathSync(folder));
  }

  /**
   * Serves a module that its user links, or against which a functor's imports are resolved. With `must`, one that is
   * not here is an error for whoever asks for it, instead of being left to the site.
   */
  link(key: ModuleKey, must = false): void {
    const specifier = 'url' in key ? key.url : key.name;
    const name = specifier.startsWith('file:') ? new URL(specifier).href : specifier;
    if (this.#linked.has(name)) return;
    try {
      const url = this.#find(name, must);
      if (url === undefined) return;
      this.#roots.addPackageOf(fileURLToPath(url));
      this.#linked.set(name, url);
      this.#missing.delete(name);
    } catch (cause) {
      if (this.#upstream) this.#passedOn.add(name);
      else if (must) this.#missing.set(name, notThere(name, cause));
    }
  }

  /** The real URL of what is linked, `undefined` if that is none of this host's files; throws if there is none. */
  #find(specifier: string, must: boolean): string | undefined {
    if (specifier.startsWith('file:')) return realURL(specifier);
    if (!must) return undefined;
    const here = pathToFileURL(join(process.cwd(), 'here.js')).href;
    const url = isBare(specifier) ? undefined : new URL(specifier, here);
    if (url?.protocol === 'file:') return realURL(url.href);
    const edge = resolveEdge(specifier, here, 'import');
    if (edge && 'url' in edge) return edge.url;
    throw edgeError(
      edge ?? { code: 'ERR_OFFSITE_NOT_SERVED', message: `${specifier} is no file of this host's.` },
    );
  }

  async describe(specifier: string, wish: Wish): Promise<(Closure & { entry: string }) | undefined> {
    if (this.#missing.has(specifier)) throw this.#missing.get(specifier);
    const entry = this.#linked.get(specifier) ?? this.#imported(specifier);
    if (entry === undefined) {
      if (!this.#passedOn.has(specifier)) return undefined;
      const closure = await this.#upstream?.describe(specifier, EVERYTHING);
      return closure && this.#passOn(closure, wish);
    }
    return { ...(await this.#closure(entry, wish)), entry };
  }

  async resolve(
    specifier: string,
    importer: string,
    way: Way,
    wish: Wish,
  ): Promise<(Closure & { edge: Edge }) | undefined> {
    const from = this.#linked.get(importer) ?? (this.#described.has(importer) ? importer : undefined);
    if (from === undefined) return undefined;
    if (this.#passedOn.has(from)) {
      const closure = await this.#upstream?.resolve(specifier, from, way, EVERYTHING);
      return closure && this.#passOn(closure, wish);
    }
    const edge = follow(specifier, from, way, this.#roots);
    if (!edge || !('url' in edge)) {
      const nothing: Edge = { code: 'ERR_OFFSITE_NOT_SERVED', message: `${specifier} is no file.` };
      return { generation: ++this.#generation, modules: [], edge: edge ?? nothing };
    }
    const path = fileURLToPath(edge.url);
    if (!LOADABLE.has(extname(path)) || this.#roots.hides(path)) {
      const refused = notServed(specifier, from);
      return { generation: ++this.#generation, modules: [], edge: refused };
    }
    return { ...(await this.#closure(edge.url, wish)), edge };
  }

  async sources(hashes: readonly string[]): Promise<Uint8Array[]> {
    const missing = hashes.filter((hash) => !this.#offered.has(hash));
    if (missing.length > 0 && this.#upstream) {
      // Not kept: this site has only lent its ear.
      const bytes = await this.#upstream.sources(missing);
      const passed = new Map(missing.map((hash, i) => [hash, bytes[i]!]));
      return hashes.map((hash) => this.#offered.get(hash) ?? passed.get(hash)!);
    }
    return hashes.map((hash) => {
      const bytes = this.#offered.get(hash);
      if (!bytes) throw new NotServedError(`No module with the hash ${hash} was described to the site.`);
      return bytes;
    });
  }

  /** An answer of this site's own parent, counted as one of this. */
  #passOn<C extends Closure>(closure: C, { installed }: Wish): C {
    const generation = ++this.#generation;
    const modules = closure.modules.filter(
      ({ url }) => !((this.#described.get(url) ?? Infinity) <= installed),
    );
    for (const { url } of modules) {
      this.#described.set(url, generation);
      this.#passedOn.add(url);
    }
    return { ...closure, generation, modules };
  }

  /** A file to which the site has come by itself: on the same disk, or at run time in a site of its own. */
  #imported(url: string): string | undefined {
    if (!url.startsWith('file:')) return;
    try {
      const real = realURL(url);
      const path = fileURLToPath(real);
      const served = LOADABLE.has(extname(path)) && this.#roots.has(path) && !this.#roots.hides(path);
      return served ? real : undefined;
    } catch {
      return undefined;
    }
  }

  async #closure(entry: string, { installed, sameDisk }: Wish): Promise<Closure> {
    const known = (url: string) => (this.#described.get(url) ?? Infinity) <= installed;
    const found: Found[] = await closureOf(entry, { roots: this.#roots, known, sameDisk });
    const generation = ++this.#generation;
    for (const { described, bytes } of found) {
      this.#described.set(described.url, generation);
      this.#offered.set(described.hash, bytes);
    }
    return { generation, modules: found.map(({ described }) => described) };
  }
}

/** What a user means by a specifier of a functor's: a file of this host's is served. */
export const linkAll = (sources: Sources, specifiers: Iterable<string>): void => {
  for (const specifier of specifiers) sources.link(keyOf(specifier));
};

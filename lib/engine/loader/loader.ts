import { existsSync } from 'node:fs';
import Module, { isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  type Closure,
  type Described,
  type Edge,
  edgeError,
  type SourceService,
  type Way,
  type Wish,
} from '../../module/source/service.ts';
import { DOORS, openDoor } from '../../module/source/upstream.ts';
import { type EnteredModule, facadeText } from './entered.ts';
import { emptyState, type HookedModule, type HookState, type StateChange } from './hook-state.ts';
import { installHooks } from './install-hooks.ts';
import { type Instance, Instances, type Renewal } from './instances.ts';
import { withResolve } from './meta-resolve.ts';
import { installRequire } from './require.ts';
import { SourceStore } from './source-store.ts';

/** How the engine reaches its parent's disk: by a call, or by one that blocks this thread until the answer is there. */
export interface Parent {
  ask(method: string, args: unknown[]): Promise<unknown>;
  askSync(method: string, args: unknown[]): unknown;
}

/** One question to the parent; the same steps are driven with and without waiting. */
type Steps<T> = Generator<readonly [method: string, args: unknown[]], T, unknown>;

/**
 * Loads modules that lie on the parent's disk, with all that they import, as if they lay here; and lets `import` and
 * `require` see what was entered. It installs itself in Node when it is first needed.
 */
export class Loader {
  readonly #parent: Parent;
  readonly #sameDisk: boolean;
  readonly #instances: Instances;
  readonly #sources = new SourceStore();
  readonly #entered = new Map<string, EnteredModule>();
  /** Scripts that stand in for a module of the parent's. */
  readonly #aliases = new Map<string, string>();
  readonly #state: HookState;
  /** Generations of the parent's answers that are installed, but not all before them. */
  readonly #done = new Set<number>();
  #installed = 0;
  /** Whether Node is asked for a file that one of ours requires, by its own rules. */
  #asksNode = false;
  #enteredCount = 0;
  /** How the text of a module that stands in for another one gets at this. */
  #door = '';
  #last: Promise<unknown> = Promise.resolve();
  #changeState: ((changed: StateChange) => void) | undefined;

  /** `folder` is the site's own, as a URL. */
  constructor(parent: Parent, sameDisk: boolean, folder: string) {
    this.#parent = parent;
    this.#sameDisk = sameDisk;
    this.#instances = new Instances((described) => this.#leftToNode(described));
    const { typescript } = process.features as { typescript?: unknown };
    this.#state = emptyState(folder, !typescript);
  }

  /** Installs itself if files that are read from this disk may import TypeScript, which this Node.js can't load. */
  expectFiles(): void {
    if (this.#state.needsTypeScript) this.install();
  }

  /** Installs itself in Node, once. */
  install(): void {
    if (this.#changeState) return;
    const ask = this.#parent.ask.bind(this.#parent);
    const number = openDoor({
      require: Module.createRequire(`${this.#state.folder}[site]`),
      entered: (url) => this.#entered.get(url)?.module,
      resolver: (importer, byNode) => (specifier) => this.#metaResolve(String(specifier), importer, byNode),
      read: (filename) => {
        const instance = this.#instances.inFile(filename);
        return instance && this.#sources.bytes(instance.described);
      },
      describe: (...args) => ask('describe', args) as ReturnType<SourceService['describe']>,
      resolve: (...args) => ask('resolve', args) as ReturnType<SourceService['resolve']>,
      sources: (...args) => ask('sources', args) as ReturnType<SourceService['sources']>,
    });
    this.#door = `globalThis[Symbol.for(${JSON.stringify(DOORS)})][${number}]`;
    installRequire({
      entered: (key) => this.#entered.get(key.startsWith('/') ? pathToFileURL(key).href : key),
      locate: (specifier, importer) => this.#locate(specifier, importer),
      has: (filename) => this.#instances.inFile(filename) !== undefined,
      read: (filename) => this.#read(filename),
    });
    this.#changeState = installHooks(this.#state, {
      now: {
        resolve: (specifier, importer) => this.#now(this.#resolve(specifier, importer, 'import')),
        typeScript: (url) => this.#now(this.#typeScript(url)),
      },
      soon: {
        resolve: (specifier, importer) => this.#soon(this.#resolve(specifier, importer, 'import')),
        typeScript: (url) => this.#soon(this.#typeScript(url)),
      },
    });
  }

  /**
   * Fetches a module that the parent has linked, and all that it imports; gives the URL under which it can be imported,
   * `undefined` if it is not on the parent's disk.
   */
  fetch(specifier: string, renew?: Omit<Renewal, 'entry'>): Promise<string | undefined> {
    return this.#soon(this.#fetch(specifier, renew));
  }

  /** Where a specifier leads from a module of the parent's, as a URL to import; `undefined` if the parent has not that one. */
  async locate(specifier: string, importer: string): Promise<string | undefined> {
    const edge = await this.#soon(this.#resolve(specifier, importer, 'import'));
    if (!edge) return undefined;
    if (!('url' in edge)) throw edgeError(edge);
    return edge.url;
  }

  /** Makes a script at a URL an importer whose specifiers lead where those of the parent's `importer` lead. */
  standIn(script: string, importer: string): void {
    this.install();
    this.#aliases.set(script, importer);
    this.#changeState?.({ importers: [script] });
  }

  /** Puts a module in the place of a URL or a name for all that is loaded from now on. */
  enter(key: string, module: object, names: Iterable<string>): void {
    this.install();
    const url = `offsite:entered/${++this.#enteredCount}`;
    this.#entered.set(key, { url, module });
    this.#entered.set(url, { url, module });
    const source = facadeText(`${this.#door}.entered(${JSON.stringify(url)})`, names);
    this.#changeState?.({
      modules: [[url, { format: 'module', source, imports: {} }]],
      entered: [[key, url]],
    });
  }

  /** Takes away what was entered, and lets CommonJS forget a file; what holds it keeps it. */
  forget(key: string): void {
    if (this.#entered.delete(key)) this.#changeState?.({ entered: [[key, undefined]] });
    if (!key.startsWith('file:')) return;
    const file = this.#instances.latest(key)?.filename ?? fileURLToPath(key);
    delete Module.createRequire(file).cache[file];
  }

  /** Fetches come one after another, so that one does not wait for what the other has been promised. */
  #soon<T>(steps: Steps<T>): Promise<T> {
    const run = async () => {
      for (let next = steps.next(); ; ) {
        if (next.done) return next.value;
        next = steps.next(await this.#parent.ask(...next.value));
      }
    };
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  #now<T>(steps: Steps<T>): T {
    for (let next = steps.next(); ; ) {
      if (next.done) return next.value;
      next = steps.next(this.#parent.askSync(...next.value));
    }
  }

  get #wish(): Wish {
    return { installed: this.#installed, sameDisk: this.#sameDisk };
  }

  *#fetch(specifier: string, renew: Omit<Renewal, 'entry'> | undefined): Steps<string | undefined> {
    const wish = renew ? { ...this.#wish, installed: 0 } : this.#wish;
    const closure = (yield ['describe', [specifier, wish]]) as (Closure & { entry: string }) | undefined;
    if (!closure) return undefined;
    const { entry } = closure;
    yield* this.#add(closure, renew && { ...renew, entry });
    return this.#instances.latest(entry)?.url ?? entry;
  }

  *#resolve(specifier: string, script: string, way: Way): Steps<Edge | undefined> {
    const importer = this.#aliases.get(script) ?? this.#instances.at(script)?.described.url ?? script;
    const answer = (yield ['resolve', [specifier, importer, way, this.#wish]]) as
      | (Closure & { edge: Edge })
      | undefined;
    if (!answer) return undefined;
    yield* this.#add(answer);
    const { edge } = answer;
    if (!('url' in edge)) return edge;
    return { url: this.#instances.latest(edge.url)?.url ?? edge.url };
  }

  *#typeScript(url: string): Steps<HookedModule | undefined> {
    const entry = yield* this.#fetch(url, undefined);
    return entry === undefined ? undefined : this.#state.modules.get(entry);
  }

  /** Gets the sources that are missing, and tells Node's hooks of the modules. */
  *#add({ generation, modules }: Closure, renewal?: Renewal): Steps<void> {
    this.install();
    const missing = modules
      .filter((described) => !this.#leftToNode(described) && !this.#sources.has(described))
      .map(({ hash }) => hash);
    const hashes = [...new Set(missing)];
    if (hashes.length > 0) {
      const sources = (yield ['sources', [hashes]]) as Uint8Array[];
      this.#sources.add(hashes, sources);
    }
    const added = this.#instances.add(modules, renewal);
    if (added.some(({ described }) => described.mapped)) process.setSourceMapsEnabled(true);
    this.#changeState?.({
      modules: added.map((instance) => [instance.url, this.#hooked(instance)] as const),
    });
    this.#count(generation);
  }

  #count(generation: number): void {
    this.#done.add(generation);
    while (this.#done.delete(this.#installed + 1)) this.#installed++;
  }

  /** Whether Node reads a module by itself; on a parent's disk that is here too, unless it travelled there itself. */
  #leftToNode({ url, made }: Described): boolean {
    return this.#sameDisk && !made && existsSync(fileURLToPath(url));
  }

  #hooked(instance: Instance): HookedModule {
    const { imports, filename, described } = instance;
    const { format, names } = described;
    if (format === 'commonjs') {
      const module = `${this.#door}.require(${JSON.stringify(filename)})`;
      const source = facadeText(module, [...names, 'module.exports']);
      return { format: 'module', source, imports };
    }
    if (format === 'wasm') return { format, source: this.#sources.bytes(described), imports };
    const text = this.#sources.text(described);
    return {
      format,
      source: format === 'module' ? withResolve(text, `${this.#door}.resolver`) : text,
      imports,
    };
  }

  /** What `import.meta.resolve` is in a module of ours. */
  #metaResolve(specifier: string, importer: string, byNode: (specifier: string) => string): string {
    const instance = this.#instances.at(importer);
    if (!instance || isBuiltin(specifier) || /^(?:node|data|https?|blob):/.test(specifier)) {
      return byNode(specifier);
    }
    const known = Object.hasOwn(instance.imports, specifier) ? instance.imports[specifier] : undefined;
    const edge = known ?? this.#now(this.#resolve(specifier, importer, 'import'));
    if (!edge) return byNode(specifier);
    if ('url' in edge) return edge.url;
    // As Node does: a relative one need not be there, or be code.
    if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return new URL(specifier, importer).href;
    const native = edge.siteMayHave && this.#nativeFile(specifier, instance.filename);
    if (native) return pathToFileURL(native).href;
    throw edgeError(edge);
  }

  /** For `require`: the file that a specifier means in one of ours. */
  #locate(specifier: string, filename: string): string | undefined {
    const importer = this.#asksNode ? undefined : this.#instances.inFile(filename);
    if (!importer) return undefined;
    const known = Object.hasOwn(importer.requires, specifier) ? importer.requires[specifier] : undefined;
    const edge = known ?? this.#now(this.#resolve(specifier, importer.described.url, 'require'));
    if (!edge) return undefined;
    if (!known && 'url' in edge) importer.requires[specifier] = edge;
    if ('url' in edge) return this.#instances.at(edge.url)?.filename ?? fileURLToPath(edge.url);
    // What has native code may be here all the same.
    const native = edge.siteMayHave && this.#nativeFile(specifier, filename);
    if (native) return native;
    throw Object.assign(edgeError(edge), { requireStack: [filename] });
  }

  #nativeFile(specifier: string, filename: string): string | undefined {
    this.#asksNode = true;
    try {
      for (const from of [filename, fileURLToPath(`${this.#state.folder}[site]`)]) {
        try {
          return Module.createRequire(from).resolve(specifier);
        } catch {
          // The next one.
        }
      }
      return undefined;
    } finally {
      this.#asksNode = false;
    }
  }

  #read(filename: string): { format: string; text: string } | undefined {
    const instance = this.#instances.inFile(filename);
    if (!instance) return undefined;
    return { format: instance.described.format, text: this.#sources.text(instance.described) };
  }
}

import { applyFunctor, type FunctorText, ownBase } from '../module/apply.ts';
import { folderURL, keyOf, type ModuleKey } from '../module/resolve.ts';
import type { SourceService } from '../module/source.ts';
import { ModuleTable } from '../module/table.ts';
import { byReference, referenceOf } from '../wire/reference.ts';
import { understandTypeScript } from './typescript.ts';

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
  readonly #table = new ModuleTable();
  readonly #parent: SourceService;
  /** One view for each module, so that linking twice gives the same reference. */
  readonly #views = new WeakMap<object, object>();

  constructor(parent: SourceService) {
    this.#parent = parent;
  }

  /** Loads a module and gives a reference to it. */
  async link(key: ModuleKey): Promise<object> {
    this.#expectFiles([key]);
    return this.#view(await this.#table.link(key, ownBase()));
  }

  /** Makes a functor's module and gives a reference to it; `base` resolves the imports. */
  async apply(functor: FunctorText, base?: ModuleKey): Promise<object> {
    this.#expectFiles(Object.values(functor.import).map(keyOf));
    return this.#view(await applyFunctor(functor, this.#base(base), this.#table));
  }

  /** Installs a module under a key. */
  enter(key: ModuleKey, module: object): void {
    this.#table.enter(key, ownBase(), module);
  }

  /** Names are packages and Node's own modules, which are JavaScript; files may be TypeScript, or import some. */
  #expectFiles(keys: readonly ModuleKey[]): void {
    if (keys.some((key) => 'url' in key)) understandTypeScript(this.#parent);
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
    }
    return known;
  }
}

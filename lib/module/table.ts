import { KeyTakenError } from './errors.ts';
import { type Import, importFrom, type ModuleKey, tableKey } from './resolve.ts';

/** A site's modules, by absolute URL or by name: what was linked, and what was entered in place of something. */
export class ModuleTable {
  readonly #modules = new Map<string, Promise<object>>();
  readonly #imports = new Map<string, Import>();

  /** The module under a key, loaded if it is not there yet; rejects with the error of its loading. */
  link(key: ModuleKey, base: string): Promise<object> {
    const name = tableKey(key, base);
    const known = this.#modules.get(name);
    if (known) return known;
    const loading = this.#import(base, name);
    this.#modules.set(name, loading);
    // What could not be loaded may be mended and linked again.
    loading.catch(() => this.#modules.delete(name));
    return loading;
  }

  /** Installs a module under a key; throws KeyTakenError if there is one already. */
  enter(key: ModuleKey, base: string, module: object): void {
    const name = tableKey(key, base);
    if (this.#modules.has(name)) throw new KeyTakenError(name);
    this.#modules.set(name, Promise.resolve(module));
  }

  #import(base: string, name: string): Promise<object> {
    let load = this.#imports.get(base);
    if (!load) {
      load = importFrom(base);
      this.#imports.set(base, load);
    }
    return load(name);
  }
}

import { KeyTakenError } from './errors.ts';
import { importFrom, type ModuleKey, tableKey } from './resolve.ts';

/** How a module is to be linked. */
export interface LinkWish {
  /** Whose disk a URL means. @default the parent's, if it has the file */
  readonly origin?: 'parent' | 'site' | undefined;
  /** Whether to load it again beside the one that is there. */
  readonly fresh?: boolean | undefined;
}

/** Loads the module at an absolute URL or under a name, as a file in the folder `base` would. */
export type Load = (name: string, base: string, wish: LinkWish) => Promise<object>;

/** A site's modules, by absolute URL or by name: what was linked, and what was entered in place of something. */
export class ModuleTable {
  readonly #modules = new Map<string, Promise<object>>();
  readonly #entered = new Set<string>();
  readonly #load: Load;

  constructor(load: Load = (name, base) => importFrom(base)(name)) {
    this.#load = load;
  }

  /**
   * The module under a key, loaded if it is not there yet or is wished afresh; rejects with the error of its loading.
   * What was entered is what it is, and never loaded.
   */
  link(key: ModuleKey, base: string, wish: LinkWish = {}): Promise<object> {
    const name = tableKey(key, base);
    const known = this.#modules.get(name);
    if (known && (!wish.fresh || this.#entered.has(name))) return known;
    const loading = this.#load(name, base, wish);
    this.#modules.set(name, loading);
    loading.catch(() => {
      if (this.#modules.get(name) !== loading) return;
      // What could not be loaded may be mended and linked again; who asks meanwhile gets what there was.
      if (known) this.#modules.set(name, known);
      else this.#modules.delete(name);
    });
    return loading;
  }

  /** Installs a module under a key; returns the key as the table holds it. Throws KeyTakenError if there is one. */
  enter(key: ModuleKey, base: string, module: object): string {
    const name = tableKey(key, base);
    if (this.#modules.has(name)) throw new KeyTakenError(name);
    this.#modules.set(name, Promise.resolve(module));
    this.#entered.add(name);
    return name;
  }

  /** The module that was entered under a key. */
  entered(key: ModuleKey, base: string): Promise<object> | undefined {
    const name = tableKey(key, base);
    return this.#entered.has(name) ? this.#modules.get(name) : undefined;
  }

  /** Drops a key, whoever holds its module; returns the key as the table held it. */
  forget(key: ModuleKey, base: string): string {
    const name = tableKey(key, base);
    this.#modules.delete(name);
    this.#entered.delete(name);
    return name;
  }
}

import { dirname, join, sep } from 'node:path';
import { packageRoot } from './package.ts';

/** Where package managers keep what `node_modules` links to. */
const PACKAGE_STORES = new Set(['.pnpm', '.yarn', '.store', '.bun']);

const inside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * The folders from which modules are served: the packages of what was linked, and the `node_modules` in which Node
 * looks from there. All paths are real ones, so that a symbolic link leads out of nothing.
 */
export class Roots {
  readonly #all: () => boolean;
  readonly #folders = new Set<string>();

  /** `all` says whether the site has this disk anyway, so that nothing is gained by keeping any of it back. */
  constructor(all: () => boolean = () => false) {
    this.#all = all;
  }

  /** Serves a folder and all in it. */
  add(folder: string): void {
    if (this.#folders.has(folder)) return;
    this.#folders.add(folder);
    for (let around = folder; ; around = dirname(around)) {
      this.#folders.add(join(around, 'node_modules'));
      if (around === dirname(around)) return;
    }
  }

  /** Serves the package of a file. */
  addPackageOf(path: string): void {
    this.add(packageRoot(path));
  }

  /** Whether a file may be served. */
  has(path: string): boolean {
    return this.#all() || [...this.#folders].some((folder) => inside(path, folder));
  }

  /** Whether a file lies in a folder within a served one that is hidden by its name, as those of credentials are. */
  hides(path: string): boolean {
    if (this.#all()) return false;
    const around = [...this.#folders].filter((folder) => inside(path, folder));
    const innermost = around.reduce(
      (longest, folder) => (folder.length > longest.length ? folder : longest),
      '',
    );
    return path
      .slice(innermost.length)
      .split(sep)
      .some((name) => name.startsWith('.') && !PACKAGE_STORES.has(name));
  }
}

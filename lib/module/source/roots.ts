import { dirname, join, sep } from 'node:path';
import { packageRoot } from './package.ts';

const inside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * The folders from which modules are served: the packages of what was linked, and the `node_modules` in which Node
 * looks from there. All paths are real ones, so that a symbolic link leads out of nothing.
 */
export class Roots {
  readonly #folders = new Set<string>();

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
    return [...this.#folders].some((folder) => inside(path, folder));
  }
}

import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OffsiteError } from '../wire/errors.ts';

/** JavaScript, and how it is to be run. */
export interface Source {
  readonly source: string;
  readonly format: 'module' | 'commonjs';
}

/** Reads sources on the manager's disk; the manager's end of the session has it as its main object. */
export interface SourceService {
  /** The JavaScript of the TypeScript file at a URL; rejects if it is not to be served or can't be turned. */
  source(url: string): Promise<Source>;
}

const nearestPackage = (path: string): string => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return dirname(path);
  }
};

const isCommonJS = (path: string): boolean => {
  if (path.endsWith('.cts')) return true;
  if (path.endsWith('.mts')) return false;
  const manifest = join(nearestPackage(path), 'package.json');
  if (!existsSync(manifest)) return false;
  const { type } = JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string };
  return type !== 'module';
};

/**
 * Turns TypeScript files of this host into JavaScript for sites whose Node.js can't. It serves only what lies in the
 * package of a module that was linked: a site is not to read this disk at will.
 */
export class Sources implements SourceService {
  readonly #roots = new Set<string>();

  /** Serves the package in which the file at a URL lies. */
  serve(url: string): void {
    if (!url.startsWith('file:')) return;
    try {
      this.#roots.add(nearestPackage(realpathSync(fileURLToPath(url))));
    } catch {
      // It is not on this host; the site says what it makes of it.
    }
  }

  /** The JavaScript of a file; rejects if it is not served, is not there or is no valid TypeScript. */
  async source(url: string): Promise<Source> {
    const path = realpathSync(fileURLToPath(url));
    // JavaScript the site reads itself; and what is no code is none of its business.
    if (!/\.[mc]?ts$/.test(path) || ![...this.#roots].some((root) => path.startsWith(root + sep))) {
      throw new OffsiteError(
        'ERR_OFFSITE_NOT_SERVED',
        `${url} is no TypeScript file in the package of a module that was linked, so it is not given to the site.`,
      );
    }
    // Large, and most programs never need it.
    const { transformSync } = await import('@swc/wasm-typescript');
    const text = readFileSync(path, 'utf8');
    return { source: strip(transformSync, text, path), format: isCommonJS(path) ? 'commonjs' : 'module' };
  }
}

type Transform = typeof import('@swc/wasm-typescript').transformSync;

const strip = (transform: Transform, text: string, filename: string): string => {
  try {
    // Types become white space, so that lines and columns in stack traces stay true.
    return transform(text, { filename, mode: 'strip-only' }).code;
  } catch {
    // Enums, namespaces and parameter properties need code of their own; the map keeps the lines true.
    const { code, map } = transform(text, { filename, mode: 'transform', sourceMap: true });
    return map
      ? `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
      : code;
  }
};

import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { moduleResolve } from 'import-meta-resolve';
import { NativeAddonError } from '../errors.ts';
import { nativePackage } from './package.ts';
import type { Edge, Way } from './service.ts';

const CONDITIONS = new Set(['node', 'import']);
const REQUIRE_CONDITIONS = new Set(['node', 'require']);

/** Whether a specifier names a package, and not a place beside the importer. */
export const isBare = (specifier: string): boolean =>
  !/^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier) && !/^[a-z][a-z\d+.-]*:/i.test(specifier);

/** The real URL of a file; what a compiler will have written as `.js` may still be a `.ts` file. */
export const realURL = (url: string): string => {
  const { pathname, search } = new URL(url);
  const path = fileURLToPath(url);
  if (!existsSync(path) && /\.[mc]?js$/.test(pathname)) {
    const source = path.replace(/js$/, 'ts');
    if (existsSync(source)) return `${pathToFileURL(realpathSync(source)).href}${search}`;
  }
  return `${pathToFileURL(realpathSync(path)).href}${search}`;
};

const byImport = (specifier: string, importer: string): string => {
  const url = moduleResolve(specifier, new URL(importer), CONDITIONS);
  return url.href;
};

/**
 * As Node does, but without the condition `module-sync`, which leads `require` to an ES module: sites whose Node.js is
 * older than 22.15 can't require one that travelled if it imports others.
 */
const byRequire = (specifier: string, importer: string): string => {
  if (isBare(specifier)) {
    try {
      return moduleResolve(specifier, new URL(importer), REQUIRE_CONDITIONS).href;
    } catch {
      // It has no `exports`, and `require` looks further than `import`; or it says best what is wrong.
    }
  }
  return pathToFileURL(createRequire(importer).resolve(specifier)).href;
};

/** Where a specifier leads by Node's rules, as a URL; throws Node's error for one that leads nowhere. */
const find = (specifier: string, importer: string, way: Way): string => {
  const by = way === 'import' ? byImport : byRequire;
  try {
    return by(specifier, importer);
  } catch (cause) {
    const url = isBare(specifier) ? undefined : new URL(specifier, importer);
    if (url?.protocol === 'file:' && !existsSync(url)) {
      try {
        return realURL(url.href);
      } catch {
        // Node's own words say it better.
      }
    }
    throw cause;
  }
};

/** Where a specifier leads that stands in the module at the `file:` URL `importer`; `undefined` if not to a file. */
export const resolveEdge = (specifier: string, importer: string, way: Way): Edge | undefined => {
  let url: string;
  try {
    url = find(specifier, importer, way);
  } catch (cause) {
    const { code = 'ERR_MODULE_NOT_FOUND', message } = cause as NodeJS.ErrnoException;
    return { code, message };
  }
  if (!url.startsWith('file:')) return;
  const name = nativePackage(fileURLToPath(url));
  if (name === undefined) return { url };
  const { name: className, code, message } = new NativeAddonError(name, specifier, fileURLToPath(importer));
  return { name: className, code, message, siteMayHave: true };
};

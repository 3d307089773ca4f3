import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';

/** Which module is meant: one at a URL, or one that the site knows by a name. */
export type ModuleKey = { readonly url: string } | { readonly name: string };

/** Loads a module as `import()` would in a file of the site's. */
export type Import = (specifier: string) => Promise<object>;

const HAS_SCHEME = /^[a-z][a-z\d+.-]+:/i;
const IS_PATH = /^(?:\.{0,2}\/|\.{1,2}$)/;

/** What a user means by a string: a URL if it looks like one or like a path, a name otherwise. */
export const keyOf = (specifier: string): ModuleKey => {
  if (specifier.startsWith('node:')) return { name: specifier };
  if (HAS_SCHEME.test(specifier) || IS_PATH.test(specifier)) return { url: specifier };
  return { name: specifier };
};

/** A folder's URL, ending in a slash, so that relative URLs resolve into it. */
export const folderURL = (folder: string): string => pathToFileURL(`${resolve(folder)}/`).href;

/** The absolute URL or canonical name that a key stands for; `base` is an absolute URL. */
export const tableKey = (key: ModuleKey, base: string): string => {
  if ('url' in key) return new URL(key.url, base).href;
  // node:os and os are one module.
  return isBuiltin(key.name) && !key.name.startsWith('node:') ? `node:${key.name}` : key.name;
};

let quiet = false;

/**
 * Node before 24 warns that `USE_MAIN_CONTEXT_DEFAULT_LOADER` is experimental, in every site. What it does has not
 * changed since 20.12, and its user can't do anything about it, so just this warning is dropped.
 */
const dropLoaderWarning = (): void => {
  if (quiet) return;
  quiet = true;
  const { emitWarning } = process;
  process.emitWarning = ((...args: Parameters<typeof emitWarning>) => {
    if (!String(args[0]).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) emitWarning.apply(process, args);
  }) as typeof emitWarning;
};

/**
 * Runs a script's text as if it stood in the file `filename`, a URL or path, against which its `import()` resolves;
 * gives the script's value.
 */
export const runScript = (text: string, filename: string): unknown => {
  dropLoaderWarning();
  return new vm.Script(text, {
    filename,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext();
};

/**
 * `import()` as a file in the folder `base` would do it. Node resolves a specifier against the file that imports, and
 * the engine's own file is the wrong one: bare names must be found from the site's folder.
 */
export const importFrom = (base: string): Import =>
  runScript('(specifier) => import(specifier)', base.endsWith('/') ? `${base}[offsite]` : base) as Import;

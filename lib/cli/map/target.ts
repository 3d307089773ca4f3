import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../report.ts';

/** The function to call: a module as `link` takes it, and the names that lead to the function in it. */
export interface Target {
  /** A URL, or a bare name that is resolved in the site. */
  readonly module: string;
  /** `default`, an export's name, or names joined by points. */
  readonly path: readonly string[];
}

const looksLikePath = /^(\.{1,2}\/|\/|~\/)|\.[cm]?[jt]s$/;
const hasScheme = /^[a-z][a-z0-9+.-]+:/i;

/**
 * Reads `MODULE#FUNCTION`. A module is a path (it becomes a `file:` URL, against `cwd`), a URL, or a bare name
 * as in an import; a function that is not named is `default`. Throws a `UsageError` for a path with no file
 * behind it, unless `elsewhere` says that it need not exist on this host.
 */
export const parseTarget = (
  text: string,
  { cwd = process.cwd(), elsewhere = false }: { cwd?: string; elsewhere?: boolean } = {},
): Target => {
  const hash = text.lastIndexOf('#');
  const module = hash < 0 ? text : text.slice(0, hash);
  const name = hash < 0 ? '' : text.slice(hash + 1);
  const path = name === '' ? ['default'] : name.split('.');
  if (module === '' || path.includes('')) {
    throw new UsageError(
      `"${text}" is not a module and a function.`,
      "Write MODULE#FUNCTION, for example ./hash.js#sha256 or 'node:path#basename'",
    );
  }
  if (hasScheme.test(module)) return { module, path };
  const file = resolve(cwd, module);
  const exists = existsSync(file);
  if (!exists && !looksLikePath.test(module)) return { module, path };
  if (!exists && !elsewhere) {
    throw new UsageError(
      `There is no module ${module} in ${cwd}.`,
      'Give the path of a file, or a bare name such as node:path',
    );
  }
  return { module: pathToFileURL(file).href, path };
};

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/** What of a package.json matters here. */
interface Manifest {
  readonly name?: string;
  readonly type?: string;
  readonly gypfile?: unknown;
  readonly binary?: unknown;
  readonly napi?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What packages with native code use to find it. */
const ADD_ON_LOADERS = [
  'bindings',
  'nan',
  'node-addon-api',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
];

const manifestIn = (folder: string): Manifest | undefined => {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
};

/** The folders around a path, from the inside out. */
function* foldersAround(path: string): Generator<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/** Whether Node takes a `.js` file for an ES module because of its package, `undefined` if the package does not say. */
export const packageType = (path: string): 'module' | 'commonjs' | undefined => {
  for (const folder of foldersAround(path)) {
    // As Node does: a package without a package.json is not of the program's type.
    if (folder.endsWith(`${sep}node_modules`)) return 'commonjs';
    if (!existsSync(join(folder, 'package.json'))) continue;
    const type = manifestIn(folder)?.type;
    if (type === 'module' || type === 'commonjs') return type;
    // As Node does: in a package that somebody installed, what is not said means CommonJS.
    return folder.includes(`${sep}node_modules${sep}`) ? 'commonjs' : undefined;
  }
  return undefined;
};

/** The folder of the package that a file belongs to; one with a name, because `dist/package.json` makes no package. */
export const packageRoot = (path: string): string => {
  let unnamed: string | undefined;
  for (const folder of foldersAround(path)) {
    const manifest = manifestIn(folder);
    if (manifest?.name !== undefined) return folder;
    if (manifest) unnamed ??= folder;
    if (folder.endsWith(`${sep}node_modules`)) break;
  }
  return unnamed ?? dirname(path);
};

const natives = new Map<string, string | undefined>();

const findNative = (path: string): string | undefined => {
  const root = packageRoot(path);
  const manifest = manifestIn(root) ?? {};
  const native =
    existsSync(join(root, 'binding.gyp')) ||
    [manifest.gypfile, manifest.binary, manifest.napi].some(Boolean) ||
    ADD_ON_LOADERS.some((name) => manifest.dependencies?.[name] !== undefined);
  return native ? (manifest.name ?? root) : undefined;
};

/** The name of the installed package with native code to which a file belongs, if it belongs to one. */
export const nativePackage = (path: string): string | undefined => {
  if (path.endsWith('.node')) return manifestIn(packageRoot(path))?.name ?? path;
  if (!path.includes(`${sep}node_modules${sep}`)) return;
  const folder = dirname(path);
  if (!natives.has(folder)) natives.set(folder, findNative(path));
  return natives.get(folder);
};

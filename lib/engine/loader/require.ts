import Module, { isBuiltin } from 'node:module';
import { dirname } from 'node:path';

/** What `require` needs to know of modules that are not on this disk, or not as they lie there. */
export interface RequireSource {
  /** The module that was entered in place of a specifier or a file. */
  entered(key: string): { readonly module: object } | undefined;
  /** The file that a specifier in another means; `undefined` if that one is none of ours. Throws if there is none. */
  locate(specifier: string, importer: string): string | undefined;
  /** Whether a file is one of ours. */
  has(filename: string): boolean;
  /** What lies in a file, `undefined` if it is none of ours. */
  read(filename: string): { readonly format: string; readonly text: string } | undefined;
}

/** The parts of Node's CommonJS loader that programs have always replaced. */
interface Loader {
  _load(request: string, parent: NodeJS.Module | undefined, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: NodeJS.Module | undefined, ...rest: unknown[]): string;
  _nodeModulePaths(folder: string): string[];
  prototype: Loadable;
}
interface Loadable extends NodeJS.Module {
  load(filename: string): void;
  _compile(text: string, filename: string, format?: string): unknown;
}

const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

/** Makes `require`, `require.resolve` and `createRequire` see the modules of a source too. */
export const installRequire = (source: RequireSource): void => {
  const loader = Module as unknown as Loader;
  const { _load: load, _resolveFilename: resolveFilename } = loader;
  const { load: loadFile } = loader.prototype;

  /** Files that are on this disk, though a module that is not imports them. */
  const located = new Set<string>();

  const fileOf = (request: string, parent: NodeJS.Module | undefined): string | undefined => {
    if (request.startsWith('/') && (located.has(request) || source.has(request))) return request;
    if (!parent?.filename || isBuiltin(request)) return undefined;
    const file = source.locate(request, parent.filename);
    if (file !== undefined) located.add(file);
    return file;
  };

  loader._load = function (request, parent, isMain) {
    const name = isBuiltin(request) && !request.startsWith('node:') ? `node:${request}` : request;
    const entered = source.entered(name);
    if (entered) return entered.module;
    const file = fileOf(request, parent);
    if (file === undefined) return load.call(this, request, parent, isMain);
    // By its whole path: Node remembers short ones by the folder alone, which two instances of a module share.
    return source.entered(file)?.module ?? load.call(this, file, parent, isMain);
  };

  loader._resolveFilename = function (request, parent, ...rest) {
    const file = fileOf(request, parent);
    // What is here, Node finds, with all that it notes of it.
    return file !== undefined && source.has(file)
      ? file
      : resolveFilename.call(this, file ?? request, parent, ...rest);
  };

  loader.prototype.load = function (filename) {
    const found = source.read(filename);
    if (!found) {
      loadFile.call(this, filename);
      return;
    }
    this.filename = filename;
    this.paths = loader._nodeModulePaths(dirname(filename));
    if (found.format === 'json') this.exports = JSON.parse(withoutMark(found.text));
    else this._compile(withoutMark(found.text), filename, found.format);
    this.loaded = true;
  };
};

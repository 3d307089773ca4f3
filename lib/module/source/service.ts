/** How a module's source text is to be taken. */
export type Format = 'module' | 'commonjs' | 'json' | 'wasm';

/** Which of Node's two ways to find a module is meant: that of `import` or that of `require`. */
export type Way = 'import' | 'require';

/** Where a specifier leads: to a served file, to nothing, or to what only the site itself can have. */
export type Edge =
  | { readonly url: string }
  | { readonly name?: string; readonly code: string; readonly message: string; readonly siteMayHave?: true };

/** The error of an edge that leads nowhere. */
export const edgeError = ({ name, code, message }: Exclude<Edge, { readonly url: string }>): Error =>
  Object.assign(new Error(message), { code, ...(name !== undefined && { name }) });

/** A module on the parent's disk as the parent describes it; its source is asked for by hash. */
export interface Described {
  /** Its `file:` URL on the parent, symbolic links resolved. */
  readonly url: string;
  readonly format: Format;
  /** SHA-256 of the source as it is served, in hexadecimal. */
  readonly hash: string;
  /** Whether what is served is not the file's own content, but JavaScript that was made from it. */
  readonly made: boolean;
  /** Whether the source ends with a source map. */
  readonly mapped: boolean;
  /** When the file was last changed, in milliseconds since 1970. */
  readonly changed: number;
  /** The names that `import` finds in a CommonJS module. */
  readonly names: readonly string[];
  /** Where the literal specifiers of its `import` statements lead. */
  readonly imports: Readonly<Record<string, Edge>>;
  /** Where the literal specifiers of its `require` calls lead. */
  readonly requires: Readonly<Record<string, Edge>>;
}

/** What a site tells with each question, so that nothing is described to it twice. */
export interface Wish {
  /** The last generation that the site has installed, 0 to be told everything. */
  readonly installed: number;
  /** Whether the site has the parent's disk and needs only what was made, not files that lie there. */
  readonly sameDisk: boolean;
}

/** Modules with all that they import, as far as the site does not know them. */
export interface Closure {
  /** Counts the answers; the site says which it has installed. */
  readonly generation: number;
  readonly modules: readonly Described[];
}

/** What a manager's site can ask of the disk on which its modules lie; only what it linked, and what that imports. */
export interface SourceService {
  /** A module that the manager has linked; `undefined` if it is not on this disk. */
  describe(specifier: string, wish: Wish): Promise<(Closure & { readonly entry: string }) | undefined>;
  /** Where a specifier leads that a served module has come to at run time; `undefined` if the importer is not served. */
  resolve(
    specifier: string,
    importer: string,
    way: Way,
    wish: Wish,
  ): Promise<(Closure & { readonly edge: Edge }) | undefined>;
  /** The sources with the given hashes, in their order. */
  sources(hashes: readonly string[]): Promise<Uint8Array[]>;
}

import type { Edge } from '../../module/source/service.ts';

/** A module as Node's hooks give it out. */
export interface HookedModule {
  readonly format: 'module' | 'json' | 'wasm';
  readonly source: string | Uint8Array;
  /** Where its literal specifiers lead, for this very instance of it. */
  readonly imports: Record<string, Edge>;
}

/** What the hooks know without asking; plain data, because on old versions of Node.js they run in another thread. */
export interface HookState {
  /** By the URL under which Node holds them. */
  readonly modules: Map<string, HookedModule>;
  /** URLs of modules that were entered, by what they stand for: a URL, a name, a `node:` name. */
  readonly entered: Map<string, string>;
  /** What stands in for importers that are no modules, the scripts of functors: specifiers are asked for. */
  readonly importers: Set<string>;
  /** The site's own folder as a URL, where packages with native code may be. */
  folder: string;
  /** Whether this Node.js can't load TypeScript by itself. */
  needsTypeScript: boolean;
}

/** A state that knows nothing. */
export const emptyState = (folder: string, needsTypeScript: boolean): HookState => ({
  modules: new Map(),
  entered: new Map(),
  importers: new Set(),
  folder,
  needsTypeScript,
});

/** A change of the state, as it is sent to the thread of the hooks. */
export interface StateChange {
  readonly modules?: readonly (readonly [url: string, module: HookedModule])[];
  readonly entered?: readonly (readonly [key: string, url: string | undefined])[];
  readonly importers?: readonly string[];
}

/** Applies a change. */
export const change = (
  state: HookState,
  { modules = [], entered = [], importers = [] }: StateChange,
): void => {
  for (const [url, module] of modules) state.modules.set(url, module);
  for (const [key, url] of entered) {
    if (url === undefined) state.entered.delete(key);
    else state.entered.set(key, url);
  }
  for (const importer of importers) state.importers.add(importer);
};

import type { Edge } from '../../module/source/service.ts';
import type { HookedModule, HookState } from './hook-state.ts';

type MaybePromise<T> = T | Promise<T>;

interface ResolveContext {
  readonly conditions: readonly string[];
  readonly importAttributes: Readonly<Record<string, string>>;
  readonly parentURL?: string | undefined;
}
interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly importAttributes?: Readonly<Record<string, string>>;
  readonly shortCircuit?: boolean;
}
interface LoadContext {
  /** Not there before Node.js 22. */
  readonly conditions?: readonly string[];
}
interface Loaded {
  readonly format: string;
  readonly source: string | Uint8Array;
  readonly shortCircuit: true;
}

/** How the hooks ask what the state does not hold; at once where they run in the engine's own thread. */
export interface Ask {
  resolve(specifier: string, importer: string): MaybePromise<Edge | undefined>;
  /** JavaScript for a TypeScript file to which Node has come by itself. */
  typeScript(url: string): MaybePromise<HookedModule | undefined>;
}

/** Node's two hooks for `import`. What is required goes another way. */
export interface Hooks {
  resolve(
    specifier: string,
    context: ResolveContext,
    next: (specifier: string, context: ResolveContext) => MaybePromise<Resolved>,
  ): MaybePromise<Resolved>;
  load(
    url: string,
    context: LoadContext,
    next: (url: string, context: LoadContext) => MaybePromise<unknown>,
  ): MaybePromise<unknown>;
}

/**
 * Makes the hooks. They run in the engine's thread, where all is synchronous, or, from this function's source text, in
 * Node's own thread for hooks; so this uses nothing but its arguments.
 */
export const makeHooks = (state: HookState, ask: Ask, isBuiltin: (name: string) => boolean): Hooks => {
  const then = <A, B>(value: MaybePromise<A>, go: (value: A) => MaybePromise<B>): MaybePromise<B> =>
    value instanceof Promise ? value.then(go) : go(value);

  /** A URL that is ours, as Node wants it; `undefined` for all others. */
  const ours = (url: string, { importAttributes }: ResolveContext): Resolved | undefined => {
    const target = state.entered.get(url) ?? url;
    const module = state.modules.get(target);
    return module && { url: target, format: module.format, importAttributes, shortCircuit: true };
  };

  const fail = ({ name = 'Error', code, message }: Exclude<Edge, { readonly url: string }>): never => {
    throw Object.assign(new Error(message), { code, name });
  };

  const resolve: Hooks['resolve'] = (specifier, context, next) => {
    if (context.conditions.includes('require')) return next(specifier, context);
    const builtin = isBuiltin(specifier);
    const key = builtin && !specifier.startsWith('node:') ? `node:${specifier}` : specifier;
    const named = ours(key, context);
    if (named) return named;
    const byNode = (from: ResolveContext) =>
      then(next(specifier, from), (found) => ours(found.url, context) ?? found);
    const { parentURL = '' } = context;
    const importer = state.modules.get(parentURL);
    const elsewhere = builtin || /^(?:node|data|https?|blob):/.test(specifier);
    if (elsewhere || (!importer && !state.importers.has(parentURL))) return byNode(context);
    const follow = (edge: Edge | undefined): MaybePromise<Resolved> => {
      if (!edge) return byNode(context);
      // What lies on the same disk and need not be made is left to Node.
      if ('url' in edge) return ours(edge.url, context) ?? next(edge.url, context);
      if (!edge.siteMayHave) return fail(edge);
      const fromFolder = { ...context, parentURL: `${state.folder}[site]` };
      try {
        const found = byNode(context);
        if (!(found instanceof Promise)) return found;
        return found.catch(() => byNode(fromFolder)).catch(() => fail(edge));
      } catch {
        try {
          return byNode(fromFolder);
        } catch {
          return fail(edge);
        }
      }
    };
    const known =
      importer && Object.hasOwn(importer.imports, specifier) ? importer.imports[specifier] : undefined;
    if (known) return follow(known);
    return then(ask.resolve(specifier, parentURL), (edge) => {
      // As Node does: a specifier leads a module to the same place for ever.
      if (importer && edge && 'url' in edge) importer.imports[specifier] = edge;
      return follow(edge);
    });
  };

  const load: Hooks['load'] = (url, context, next) => {
    if (context.conditions?.includes('require')) return next(url, context);
    const give = ({ format, source }: HookedModule): Loaded => ({ format, source, shortCircuit: true });
    const module = state.modules.get(url);
    if (module) return give(module);
    if (!state.needsTypeScript || !/^file:[^?#]*\.[mc]?ts(?:$|[?#])/.test(url)) return next(url, context);
    return then(ask.typeScript(url), (made) => (made ? give(made) : next(url, context)));
  };

  return { resolve, load };
};

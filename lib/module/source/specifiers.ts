import { initSync as initCommonJS, parse as parseCommonJS } from 'cjs-module-lexer';
import { init, parse } from 'es-module-lexer';

/** What a source text says of what it imports and exports. */
export interface Specifiers {
  /** Whether it has syntax that only ES modules have. */
  readonly isModule: boolean;
  /** Literal specifiers of import statements. */
  readonly imports: readonly string[];
  /** Literal specifiers of `require` calls. */
  readonly requires: readonly string[];
  /** What `import` finds in it if it is CommonJS. */
  readonly names: readonly string[];
  /** The modules whose names it has too, if it is CommonJS. */
  readonly reexports: readonly string[];
}

/**
 * Good enough to know beforehand what will be needed: what it finds in a comment is only sent in vain, and what it
 * does not find is asked for when it is required.
 */
const REQUIRE = /\brequire\s*\(\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)")\s*\)/g;

const requiresIn = (text: string): string[] => {
  if (!text.includes('require')) return [];
  return [...new Set([...text.matchAll(REQUIRE)].map(([, single, double]) => (single ?? double)!))];
};

const moduleSyntax = (text: string, path: string) => {
  try {
    const [imports, , , isModule] = parse(text, path);
    const specifiers = imports
      .filter(({ type }) => type === 'static' || type === 'reexport-star')
      .map(({ specifier }) => specifier as string);
    return { isModule, imports: [...new Set(specifiers)] };
  } catch {
    // Whoever loads it gets the error of the engine, with its place.
    return { isModule: false, imports: [] };
  }
};

const commonJSNames = (text: string, path: string) => {
  try {
    initCommonJS();
    const { exports, reexports } = parseCommonJS(text, path);
    return { names: exports, reexports };
  } catch {
    return { names: [], reexports: [] };
  }
};

/** Reads a JavaScript text; `format` is what Node takes it for, `undefined` if its syntax decides. */
export const specifiersOf = async (
  text: string,
  path: string,
  format: 'module' | 'commonjs' | undefined,
): Promise<Specifiers> => {
  if (format !== 'commonjs') {
    await init();
    const { isModule, imports } = moduleSyntax(text, path);
    if (isModule || format === 'module') {
      const requires = text.includes('createRequire') ? requiresIn(text) : [];
      return { isModule: true, imports, requires, names: [], reexports: [] };
    }
  }
  return { isModule: false, imports: [], requires: requiresIn(text), ...commonJSNames(text, path) };
};

import { FreeVariableError, FunctorError } from './errors.ts';
import { findNeeds, type Needs, parseExpression } from './free-variables.ts';
import {
  brand,
  type Functor,
  type FunctorImports,
  functorScript,
  type ImportsOf,
  type Made,
  type Specifier,
} from './functor-text.ts';

/** Gives a specifier the type of its module: `from<typeof import('./hash.js')>('./hash.js')`. */
export const from = <M>(specifier: string): Specifier<M> => specifier as Specifier<M>;

const refuse = (what: string, cause?: unknown) =>
  new FunctorError(`The functor's body ${what}`, cause === undefined ? undefined : { cause });

/** The expression that the whole text is, `undefined` if only a part of the text is one or none. */
const wholeExpression = (text: string) => {
  const expression = parseExpression(text);
  return expression.end === text.length ? expression : undefined;
};

/** The source of `{ body() {} }.body` is no expression by itself, but the same with `function` for its name is. */
const methodAsFunction = (text: string) => {
  const literal = `({${text}})`;
  const object = parseExpression(literal);
  const method = object.type === 'ObjectExpression' ? object.properties[0] : undefined;
  if (method?.type !== 'Property' || method.value.type !== 'FunctionExpression' || method.kind !== 'init')
    return;
  const { async, generator, start, end } = method.value;
  return `${async ? 'async ' : ''}function${generator ? '*' : ''} ${literal.slice(start, end)}`;
};

/** The text as an expression, if that is what it is or can be made. */
const asExpression = (text: string) => {
  let problem: unknown;
  for (const candidate of [() => text, () => methodAsFunction(text)]) {
    try {
      const source = candidate();
      const node = source === undefined ? undefined : wholeExpression(source);
      if (source !== undefined && node !== undefined) return { source, node };
    } catch (error) {
      // The first try tells more: the second takes the text for a method, which it seldom is.
      problem ??= error;
    }
  }
  throw refuse(
    `is not a function that can be evaluated by itself${problem instanceof Error ? ` (${problem.message})` : ''}; ` +
      'write it as an arrow function, a function expression or a plain method.',
    problem,
  );
};

/** The source of the body as one function expression; throws FunctorError where there is none. */
const sourceOf = (body: unknown, { generators = false } = {}) => {
  if (typeof body !== 'function') throw refuse(`has to be a function, but it is ${describe(body)}.`);
  const text = Function.prototype.toString.call(body);
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw refuse(
      'is a native, bound or proxied function, which has no source text; wrap it in an arrow function.',
    );
  }
  const { source, node } = asExpression(text);
  if (node.type === 'ClassExpression') {
    throw refuse('is a class; write a function that returns a module, which may hold the class.');
  }
  if (node.type !== 'FunctionExpression' && node.type !== 'ArrowFunctionExpression') {
    throw refuse(`is ${node.type}, not a function expression.`);
  }
  if (node.generator && !generators) {
    throw refuse('is a generator; write a function that returns a module, which may hold the generator.');
  }
  return source;
};

const describe = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;

/** A copy of the imports, which the caller may change later; throws FunctorError if they are none. */
const importsOf = (options: unknown): FunctorImports => {
  const record = (value: unknown) => describe(value) === 'object';
  const imports = record(options) ? (options as { import?: unknown }).import : undefined;
  if (!record(imports)) {
    throw new FunctorError(
      "A functor's imports are an object of module specifiers by alias, as in " +
        `\`functor({ import: { os: 'node:os' } }, ({ os }) => …)\`, but \`import\` is ${describe(imports)}.`,
    );
  }
  for (const [alias, specifier] of Object.entries(imports as object)) {
    if (typeof specifier !== 'string' || specifier === '') {
      const actual = specifier === '' ? 'empty' : describe(specifier);
      throw new FunctorError(
        `A functor's imports are module specifiers, but that of \`${alias}\` is ${actual}; ` +
          'give a name, a path or the `href` of a URL.',
      );
    }
  }
  return Object.freeze({ ...(imports as FunctorImports) });
};

/** Refuses a body that would fail in the site for want of what lives only here. */
const refuseNeeds = (source: string, of: 'functor' | 'function' = 'functor') => {
  let needs: Needs;
  try {
    needs = findNeeds(functorScript({ source }));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw refuse(`can't be evaluated by itself as strict code: ${cause.message}.`, cause);
  }
  if (needs.importMeta) {
    throw refuse(
      'uses `import.meta`, which belongs to the file it is written in and does not travel; ' +
        'pass what you need of it, for instance `import.meta.url`, as an argument of a call.',
    );
  }
  if (needs.free.length > 0) throw new FreeVariableError(needs.free, undefined, of);
};

/**
 * Makes a functor: the body's source text travels to a site, which resolves the imports there and runs the body on
 * them. Throws FreeVariableError, before anything is sent, if the body uses more than its imports, its arguments and
 * the globals of Node.js, and FunctorError if it has no source text that can be evaluated by itself. A variable with
 * the name of a global is taken for the global.
 */
export function functor<const Imports extends FunctorImports, M extends Made>(
  options: { readonly import: Imports },
  body: (imports: ImportsOf<Imports>) => M | PromiseLike<M>,
): Functor<Imports, M>;
/** Makes a functor that imports nothing. */
export function functor<M extends Made>(body: () => M | PromiseLike<M>): Functor<Record<never, string>, M>;
export function functor(...words: unknown[]): Functor {
  const [options, body] = words.length > 1 ? words : [{ import: {} }, words[0]];
  const imports = importsOf(options);
  const source = sourceOf(body);
  refuseNeeds(source);
  return Object.freeze({ [brand]: true, import: imports, source });
}

/**
 * The functor that gives a function which needs nothing of the place where it was written; it may be a generator. Throws
 * FreeVariableError and FunctorError.
 */
export const functionFunctor = <F extends (...args: never[]) => unknown>(
  fn: F,
): Functor<Record<never, string>, F> => {
  const source = `() => (${sourceOf(fn, { generators: true })})`;
  refuseNeeds(source, 'function');
  return Object.freeze({ [brand]: true, import: Object.freeze({}), source });
};

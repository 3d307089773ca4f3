import * as acorn from 'acorn';
import * as eslintScope from 'eslint-scope';
import globals from 'globals';

/**
 * What every Node.js offers to every module. A list, and not `globalThis`, because a test runner or a polyfill may
 * have put names on this process's `globalThis` that no site has.
 */
const globalNames: ReadonlySet<string> = new Set([
  ...Object.keys(globals.builtin),
  ...Object.keys(globals.nodeBuiltin),
]);

/** What a script's source text leans on without carrying it along. */
export interface Needs {
  /** Names of variables that are neither declared in the script nor global in Node.js, in the order of first use. */
  readonly free: string[];
  /** Whether it uses `import.meta`, which only the file that holds it can answer. */
  readonly importMeta: boolean;
}

const isNode = (value: unknown): value is acorn.AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

const childrenOf = (node: acorn.AnyNode) =>
  Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    (Array.isArray(value) ? value : [value]).filter(isNode).map((child) => ({ key, child })),
  );

/** Whether `this` in that child is another one than in the node around it. */
const hasOwnThis = (node: acorn.AnyNode, key: string) =>
  node.type === 'FunctionExpression' ||
  node.type === 'FunctionDeclaration' ||
  node.type === 'StaticBlock' ||
  (node.type === 'PropertyDefinition' && key === 'value');

/** What scope analysis doesn't tell: uses of the surrounding `this`, of `import.meta`, and operands of `typeof`. */
const survey = (program: acorn.Program) => {
  const found = {
    capturedThis: undefined as number | undefined,
    importMeta: false,
    typeofOperands: new Set<acorn.AnyNode>(),
  };
  const visit = (node: acorn.AnyNode, outerThis: boolean) => {
    if (node.type === 'ThisExpression' && outerThis) found.capturedThis ??= node.start;
    // The other meta property, `new.target`, belongs to a function of the script, or else it doesn't parse.
    if (node.type === 'MetaProperty' && node.meta.name === 'import') found.importMeta = true;
    if (node.type === 'UnaryExpression' && node.operator === 'typeof')
      found.typeofOperands.add(node.argument);
    for (const { key, child } of childrenOf(node)) visit(child, outerThis && !hasOwnThis(node, key));
  };
  visit(program, true);
  return found;
};

/** As a site evaluates scripts, but with `import.meta` let through, so that it can be refused in words of its own. */
const parserOptions = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowImportExportEverywhere: true,
  // Scope analysis compares them.
  ranges: true,
} as const satisfies acorn.Options;

/** Parses the expression at the start of a text, which may go on behind it; throws acorn's `SyntaxError`. */
export const parseExpression = (text: string): acorn.Expression =>
  acorn.parseExpressionAt(text, 0, parserOptions);

/**
 * Finds what the script uses but does not define. `typeof x` alone is no use of `x`, because it can't throw. Throws
 * acorn's `SyntaxError` if the text is no script.
 */
export const findNeeds = (script: string): Needs => {
  const program = acorn.parse(script, parserOptions);
  const { capturedThis, importMeta, typeofOperands } = survey(program);
  const scopes = eslintScope.analyze(program as Parameters<typeof eslintScope.analyze>[0], {
    ecmaVersion: 2022,
    sourceType: 'script',
    // The default knows only the first operand of `import(specifier, options)`.
    childVisitorKeys: { ImportExpression: ['source', 'options'] },
  });
  const uses = (scopes.globalScope?.through ?? [])
    .map(({ identifier }) => identifier as unknown as acorn.Identifier)
    .filter((identifier) => !globalNames.has(identifier.name) && !typeofOperands.has(identifier))
    .map(({ name, start }) => ({ name, start }));
  if (capturedThis !== undefined) uses.push({ name: 'this', start: capturedThis });
  uses.sort((a, b) => a.start - b.start);
  return { free: [...new Set(uses.map(({ name }) => name))], importMeta };
};

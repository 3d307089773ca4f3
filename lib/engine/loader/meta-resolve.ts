/**
 * A module's text with an `import.meta.resolve` of ours, which `resolver` is an expression for. Where hooks run in a
 * thread of their own, Node's blocks this one while that asks it, for ever; and no hook can tell it from an `import`,
 * for which a file must be there.
 */
export const withResolve = (text: string, resolver: string): string => {
  if (!/\bimport\.meta\b/.test(text) || !text.includes('resolve')) return text;
  const line = `import.meta.resolve=${resolver}(import.meta.url,import.meta.resolve);`;
  const start = text.startsWith('\uFEFF') ? 1 : 0;
  // On the first line, so that the lines of stack traces stay true.
  return text.startsWith('#!', start) ? text.replace('\n', `\n${line}`) : line + text.slice(start);
};

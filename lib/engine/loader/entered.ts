/** A module that was put in place of others, as code finds it that imports or requires it. */
export interface EnteredModule {
  /** Under which Node holds what stands in for it. */
  readonly url: string;
  readonly module: object;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

/**
 * The text of an ES module that exports what an object has: `expression` gives the object, `names` are those that can
 * be imported one by one, `module.exports` the object itself. As Node does, a name whose getter throws gives nothing.
 */
export const facadeText = (expression: string, names: Iterable<string>): string => {
  const lines = [`const module=${expression};export default module;`];
  let count = 0;
  for (const name of new Set(names)) {
    if (name === 'default') continue;
    const key = JSON.stringify(name);
    const alias = IDENTIFIER.test(name) ? name : key;
    const value = name === 'module.exports' ? 'module' : `module?.[${key}]`;
    lines.push(`let $${count};try{$${count}=${value}}catch{}export{$${count} as ${alias}};`);
    count++;
  }
  return lines.join('\n');
};

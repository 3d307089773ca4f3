/** One step from a value to a part of it: a property, an index, or an entry of a Map or Set. */
export type Step = string | number | { readonly of: 'keys' | 'values'; readonly index: number };

/** A longer path is shown with its middle left out. */
const SHOWN = 240;

/** A path as JavaScript would write it, one step longer. */
export const join = (path: string, step: Step): string => {
  if (typeof step === 'object') return `${path}.${step.of}()[${step.index}]`;
  if (typeof step === 'number') return `${path}[${step}]`;
  return /^[\w$]+$/.test(step) ? `${path}.${step}` : `${path}[${JSON.stringify(step)}]`;
};

/** A path for a message: in full, unless it is too long to be read. */
export const shown = (path: string): string =>
  path.length <= SHOWN ? path : `${path.slice(0, SHOWN / 2)} … ${path.slice(-SHOWN / 2)}`;

/**
 * What a site must end before it ends itself: the sites that its modules have forked. The engine and a module's
 * copy of this package are different files, so they meet at a registered symbol.
 */

type Closer = () => Promise<unknown>;

const KEY = Symbol.for('offsite.closers');
const shared = globalThis as { [KEY]?: Set<Closer> };

const closers = (): Set<Closer> => {
  shared[KEY] ??= new Set();
  return shared[KEY];
};

/** Runs `closer` when this site is closed; a function that is added twice runs once. */
export const beforeClosing = (closer: Closer): void => {
  closers().add(closer);
};

/** Ends what hangs on this site; each closer has a bound of its own, and failures don't stop the others. */
export const closeChildren = async (): Promise<void> => {
  await Promise.allSettled([...closers()].map((close) => close()));
};

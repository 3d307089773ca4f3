/** The engine and a module's copy of this package are different files, so they meet at a registered symbol. */
const KEY = Symbol.for('offsite.lease');
const shared = globalThis as { [KEY]?: (ms: number) => void };

/** Says how the lease of this detached site is changed. */
export const publishLease = (set: (ms: number) => void): void => {
  shared[KEY] = set;
};

/**
 * Has this site, if it is a detached one with a lease, end itself only when it had no client for `ms` milliseconds: what
 * is in it is wanted by then.
 */
export const changeLease = (ms: number): void => shared[KEY]?.(ms);

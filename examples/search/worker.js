// What a worker of a parallel search does. Its module is put into the workers by their first call.
import { setImmediate } from 'node:timers/promises';
import { currentCluster } from 'offsite/cluster';
import { Explorer } from './explorer.js';

/** How long it explores before it listens to what others say, in milliseconds. */
const LISTEN_EVERY = 5;
/** How long it explores before it tells how far it is. If it dies, so much is done again. */
const TELL_EVERY = 100;

/** The searches that this process takes part in: what the script gave here, and what is explored at the moment. */
const searches = new Map();

/** The space that a script gives, with all that follows in it; `undefined` if it has no answer. */
export const rootOf = async (script, args) => {
  const cluster = currentCluster();
  // A call to one's own process copies nothing: this is the space itself.
  const space = await cluster.remotecallFetch(script, cluster.myid, ...args);
  return space.propagate() ? space : undefined;
};

/**
 * Explores the tree below a node. All that there is to tell goes through `tell`, in the order in which it happened:
 * answers, a node that was given away, and the nodes that are left. These belong together, so that whoever has heard it
 * can have the rest done by somebody else, and nothing is missing or done twice. `tell` gives false when it is enough.
 */
export const explore = async ({ search, kind, script, args, path, best }, tell) => {
  let part = searches.get(search);
  if (!part) {
    part = { root: await rootOf(script, args), explorer: undefined, isWanted: false };
    searches.set(search, part);
  }
  const explorer = new Explorer(part.root, { path, isForBest: kind === 'best', best });
  Object.assign(part, { explorer, isWanted: false });
  // From here on it can be asked for a part of what it has.
  if (!(await tell({ found: [], given: undefined, open: explorer.open }))) return;
  let toldAt = performance.now();
  while (!explorer.isDone) {
    const listenAt = performance.now() + LISTEN_EVERY;
    while (!explorer.isDone && performance.now() < listenAt) explorer.step();
    const given = part.isWanted ? explorer.give() : undefined;
    const isNews = given || explorer.isDone || (kind !== 'all' && explorer.found.length > 0);
    if (isNews || performance.now() - toldAt >= TELL_EVERY) {
      if (given) part.isWanted = false;
      const { found, open } = explorer;
      explorer.found = [];
      if (!(await tell({ found, given, open }))) break;
      toldAt = performance.now();
    } else {
      await setImmediate();
    }
  }
};

/** Somebody has nothing to do: as soon as there are two nodes left here, one is given away. */
export const share = (search) => {
  const part = searches.get(search);
  if (part) part.isWanted = true;
};

/** A better answer was found elsewhere. */
export const improve = (search, best) => {
  searches.get(search)?.explorer?.improve(best);
};

/** The search is over. */
export const stop = (search) => {
  searches.get(search)?.explorer?.stop();
  searches.delete(search);
};

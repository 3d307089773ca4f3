/**
 * Before 22, Node.js reports the error of a CommonJS module that an ES module imports twice: to whoever imports, and as
 * an unhandled rejection, which would end the site although its user has got the error.
 */
const NEEDED = Number(process.versions.node.split('.')[0]) < 22;

const told = new WeakSet<object>();
let listens = false;

const onRejection = (reason: unknown): void => {
  if (typeof reason === 'object' && reason !== null && told.has(reason)) return;
  // As without this listener; another one is the user's, and does what he wants.
  if (process.listenerCount('unhandledRejection') === 1) throw reason;
};

/** Loads a module; a failure is its caller's, and nobody else's. */
export const loadOnce = async (load: () => Promise<object>): Promise<object> => {
  if (NEEDED && !listens) {
    listens = true;
    process.on('unhandledRejection', onRejection);
  }
  try {
    return await load();
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null) told.add(cause);
    throw cause;
  }
};

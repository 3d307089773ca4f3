// What the benches use of offsite that may not be there yet. A bench asks for it and says "not built yet" without it.
import * as offsite from 'offsite';

/**
 * @typedef {object} Peer
 * @property {{ add(a: number, b: number): PromiseLike<number> }} main
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} Coming
 * @property {(to: string | import('ws').WebSocket, options?: { main: object }) => Promise<Peer>} connect
 */

/** @type {Partial<Coming>} */
export const coming = /** @type {{}} */ (offsite);

/**
 * Whether something works, as an answer within `bound` milliseconds: what is not built may also never answer.
 * @param {() => Promise<boolean>} attempt
 * @param {number} [bound]
 */
export const works = async (attempt, bound = 5_000) => {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, bound, false);
  });
  try {
    return (await Promise.race([attempt().catch(() => false), late])) === true;
  } finally {
    clearTimeout(timer);
  }
};

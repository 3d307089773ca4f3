// What examples/cancel.js calls in a site.
import { setImmediate } from 'node:timers/promises';
import { callSignal } from 'offsite/site';

let running = 0;

/** How many estimates run now. */
export const busy = (): number => running;

/**
 * Throws darts at a square until `enough` is aborted, and answers with the best estimate that it has by then. If its
 * caller gives the call up there is nobody to answer, so it stops.
 */
export async function estimate(enough?: AbortSignal): Promise<{ pi: number; darts: number }> {
  const givenUp = callSignal();
  running++;
  try {
    let inside = 0;
    let darts = 0;
    while (!enough?.aborted || darts === 0) {
      givenUp?.throwIfAborted();
      for (let i = 0; i < 100_000; i++) if (Math.hypot(Math.random(), Math.random()) < 1) inside++;
      darts += 100_000;
      // A loop that never lets go never hears of a signal.
      await setImmediate();
    }
    return { pi: (4 * inside) / darts, darts };
  } finally {
    // Here would be closed and removed what it has used.
    running--;
  }
}

/**
 * Milliseconds on a clock that only goes forward, from a beginning of its own: compare it with nothing else. A site
 * needs one in its first turn, and the first look at `performance` loads `perf_hooks`, which takes half a millisecond
 * of every start; a call takes 35 ns either way.
 */
export const now = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds * 1e-6;
};

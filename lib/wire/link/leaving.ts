/** What is told before this thread ends in order. */
const told = new Set<() => void>();

/**
 * Calls `leave` when this thread or process ends in order; the returned function takes that back. One listener serves
 * all links of a thread, so that many of them don't look like a leak.
 */
export const onLeaving = (leave: () => void): (() => void) => {
  if (told.size === 0) process.on('exit', tell);
  told.add(leave);
  return () => {
    told.delete(leave);
    if (told.size === 0) process.off('exit', tell);
  };
};

const tell = () => {
  for (const leave of told) leave();
};

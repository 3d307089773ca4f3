import { beforeClosing } from '../lib/engine/closers.ts';

/** What the root ends when this process ends in order. */
export interface Closable {
  /** `timeout` is what asking may take, in milliseconds. */
  close(options: { timeout: number }): Promise<unknown>;
}

/**
 * Everything that this process (or this site) has forked and that is to end with it. At a normal end it is closed in
 * the reverse order of its starting; at any other end the lifelines do it.
 */
const children = new Set<Closable>();
let watching = false;

/** How long a site may take to end in order when nobody waits for it any more, in milliseconds. */
const ASK_FOR = 1_000;

const closeAll = async (): Promise<void> => {
  await Promise.allSettled([...children].reverse().map((child) => child.close({ timeout: ASK_FOR })));
};

/** Takes a child under the root. */
export const adopt = (child: Closable): void => {
  children.add(child);
  if (watching) return;
  watching = true;
  // Emitted when nothing is left to do, and again after that which was done here.
  process.on('beforeExit', () => {
    if (children.size > 0) void closeAll();
  });
  beforeClosing(closeAll);
};

/** The child has ended, or a supervisor looks after it from now on; says whether the root had it. */
export const release = (child: Closable): boolean => children.delete(child);

import { hostname } from 'node:os';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { beforeClosing } from '../lib/engine/closers.ts';
import { siteReport, type TreeNode, tellTree } from '../lib/engine/tree.ts';
import { checkCallOptions } from '../lib/wire/call/options.ts';

/** What the root ends when this process ends in order. */
export interface Closable {
  /** `timeout` is what asking may take, in milliseconds. */
  close(options: { timeout: number }): Promise<unknown>;
  /** Itself and what hangs on it, which is asked for so long; never rejects. */
  tree?(options: { timeout: number }): Promise<TreeNode>;
}

/** How a child hangs on the root. */
interface Tie {
  /** Whether it outlives this process, so that the root does not close it. @default false */
  outlives?: boolean;
}

/**
 * This process's (or site's) root supervisor. What is made by hand is its temporary child: it is not started again, and
 * leaves when it ends. At a normal end of the process they are closed in the reverse order of their starting; at any
 * other end the lifelines do it. A child costs an entry here, and no actor.
 */
const children = new Map<Closable, Tie>();
let watching = false;

/** How long a site may take to end in order when nobody waits for it any more, in milliseconds. */
const ASK_FOR = 1_000;

const closing = (): Closable[] =>
  [...children].filter(([, { outlives }]) => !outlives).map(([child]) => child);

const closeAll = async (): Promise<void> => {
  await Promise.allSettled(
    closing()
      .reverse()
      .map((child) => child.close({ timeout: ASK_FOR })),
  );
};

const tellAll = (timeout: number): Promise<TreeNode[]> =>
  Promise.all([...children.keys()].flatMap((child) => (child.tree ? [child.tree({ timeout })] : [])));

/** Takes a child under the root. */
export const adopt = (child: Closable, tie: Tie = {}): void => {
  children.set(child, tie);
  if (watching) return;
  watching = true;
  // Emitted when nothing is left to do, and again after that which was done here.
  process.on('beforeExit', () => {
    if (closing().length > 0) void closeAll();
  });
  beforeClosing(closeAll);
  tellTree(tellAll);
};

/** The child has ended, or a supervisor looks after it from now on; says whether the root had it. */
export const release = (child: Closable): boolean => children.delete(child);

/** How long each site may take to tell of itself, in milliseconds. */
const TELL_WITHIN = 1_000;

/** What this program is, for people. */
const programName = (): string => {
  const { argv, title } = process;
  if (!isMainThread) return 'a virtual site';
  // A site's title says which one it is.
  return title.startsWith('offsite: ')
    ? title.slice('offsite: '.length)
    : basename(argv[1] ?? argv[0] ?? 'node');
};

/**
 * The tree of supervisors, sites and actors from the root of this process (or site) down to the sites of sites. Each is
 * asked for `timeout` ms at most (1000 if it is not said); one that does not answer is shown as such. Rejects with
 * OptionError only.
 */
export const tree = async ({ timeout = TELL_WITHIN }: { timeout?: number } = {}): Promise<TreeNode> => {
  checkCallOptions({ timeout });
  const report = await siteReport(timeout);
  return {
    kind: 'root',
    name: programName(),
    state: 'running',
    host: hostname(),
    pid: process.pid,
    ...report,
  };
};

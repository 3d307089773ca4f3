/**
 * What a site tells of itself and of the sites that its modules have forked. The engine and a module's copy of this
 * package are different files, so they meet at a registered symbol.
 */
import { isMainThread } from 'node:worker_threads';

/** One thing in the tree of what a program has started; plain data, so that it crosses. */
export interface TreeNode {
  readonly kind: 'root' | 'supervisor' | 'site' | 'actor';
  /** A child's id in its supervisor, else its own name. */
  readonly name: string;
  readonly state: string;
  /** How often its supervisor has started it again, if it has one. */
  readonly restarts?: number;
  /** For a supervisor: who is restarted with a child that died. */
  readonly strategy?: string;
  /** For a site or root: where it runs, as its parent wrote it. */
  readonly host?: string;
  /** For a site: how it was started. */
  readonly fork?: string;
  /** For a site or root, once it is known. */
  readonly pid?: number;
  /** For a site: the calls of its parent that wait for its answer. */
  readonly inFlight?: number;
  /** For a site or root: resident bytes of its process, or the heap and buffers of its thread. */
  readonly memory?: number;
  /** For a site or root: how long its process or thread has run, in milliseconds. */
  readonly uptime?: number;
  /** Why a site did not say what only it knows (memory, uptime, children), if it did not. */
  readonly unanswered?: string;
  readonly children: readonly TreeNode[];
}

/** What a site knows of itself. */
export type SiteReport = Required<Pick<TreeNode, 'memory' | 'uptime' | 'children'>>;

/** Tells what hangs on this process, within so many milliseconds. */
type Teller = (timeout: number) => Promise<readonly TreeNode[]>;

const KEY = Symbol.for('offsite.tree');
const shared = globalThis as { [KEY]?: Set<Teller> };

/** Has `teller` asked when this process tells of itself; one that is added twice is asked once. */
export const tellTree = (teller: Teller): void => {
  shared[KEY] ??= new Set();
  shared[KEY].add(teller);
};

/** The share of the time that those below get, so that their answers come before the patience above is over. */
export const SHARE_BELOW = 0.8;

const memory = (): number => {
  const { rss, heapTotal, external } = process.memoryUsage();
  return isMainThread ? rss : heapTotal + external;
};

/** This process or thread, and what hangs on it, which is asked for so many milliseconds; a site in which nothing has been forked has no children. */
export const siteReport = async (timeout: number): Promise<SiteReport> => {
  const told = await Promise.all([...(shared[KEY] ?? [])].map((teller) => teller(timeout)));
  // In a thread this clock began with it.
  return { memory: memory(), uptime: Math.round(performance.now()), children: told.flat() };
};

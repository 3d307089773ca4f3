import type { SiteReport, TreeNode } from '../../lib/engine/tree.ts';
import { textOf } from '../../lib/wire/codec/remote-error.ts';
import type { SiteState } from './state.ts';

/** What a manager knows of its site by itself. */
interface Known {
  readonly name: string;
  readonly state: SiteState;
  readonly host: string;
  readonly fork: string;
  readonly pid: number | undefined;
  readonly inFlight: number;
}

/** A site in the tree: what its manager knows, and what it answers to `ask`. Never rejects. */
export const siteNode = async (known: Known, ask: () => PromiseLike<SiteReport>): Promise<TreeNode> => {
  const { name, state, host, fork, pid, inFlight } = known;
  const node = { kind: 'site', name, state, host, fork, pid, inFlight } as const;
  // A call would wait for a site that starts, and one that ends has other things to do.
  if (state !== 'ready') return { ...node, children: [] };
  try {
    return { ...node, ...(await ask()) };
  } catch (cause) {
    return { ...node, unanswered: textOf(cause), children: [] };
  }
};

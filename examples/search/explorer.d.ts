import type { Choice, Space } from './fd.js';

/** Explores the tree below one node, step by step. */
export class Explorer {
  constructor(root: Space, task: { path: readonly Choice[]; isForBest?: boolean; best?: readonly number[] });
  /** The values of all answers since somebody was told. */
  found: number[][];
  /** The paths of the nodes that are left. */
  readonly open: Choice[][];
  readonly isDone: boolean;
  /** Gives the highest node that is left away; `undefined` if there is one only. */
  give(): Choice[] | undefined;
  step(): void;
}

import type { TreeNode } from '../../lib/engine/tree.ts';
import type { ChildRecord } from './child.ts';
import { isSite, isSupervisor } from './kinds.ts';

/** A child in the tree, by its id, with what it tells of itself while it is up. */
const childNode = async (record: ChildRecord, timeout: number): Promise<TreeNode> => {
  const { spec, state, restarts, type, run } = record;
  const known = { name: spec.id, state, restarts };
  const value = state === 'up' || state === 'stopping' ? run?.value : undefined;
  if (value && (isSite(value) || isSupervisor(value)))
    return { ...(await value.tree({ timeout })), ...known };
  const kind = type === 'supervisor' ? 'supervisor' : record.wasSite ? 'site' : 'actor';
  return { kind, ...known, children: [] };
};

/** A supervisor in the tree, with its children in the order of their start. Never rejects. */
export const supervisorNode = async (
  { name, state, strategy }: Pick<TreeNode, 'name' | 'state' | 'strategy'>,
  records: readonly ChildRecord[],
  timeout: number,
): Promise<TreeNode> => ({
  kind: 'supervisor',
  name,
  state,
  strategy,
  children: await Promise.all(records.map((record) => childNode(record, timeout))),
});

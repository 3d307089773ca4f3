/** Who is restarted with a child that died: it alone, all, or it and those started after it. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';

/** Whether children depend on each other, so that they are started and stopped as a group, in order. */
export const restartsGroups = (strategy: Strategy): boolean =>
  strategy === 'one_for_all' || strategy === 'rest_for_one';

/** The children that are restarted with the one that died, in the order of their start. */
export const affectedBy = <C>(strategy: Strategy, children: readonly C[], died: C): readonly C[] => {
  const at = children.indexOf(died);
  if (at < 0) return [];
  if (strategy === 'one_for_all') return children;
  return strategy === 'rest_for_one' ? children.slice(at) : [died];
};

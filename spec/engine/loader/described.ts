import type { Described, Edge } from '../../../lib/module/source/service.ts';

/** A URL of a module that is on no disk. */
export const at = (name: string): string => `file:///offsite-spec/${name}`;

const edges = (names: readonly string[]): Record<string, Edge> =>
  Object.fromEntries(names.map((name) => [`./${name}`, { url: at(name) }]));

/** A module of the parent's that imports others by their names. */
export const described = (
  name: string,
  imports: readonly string[] = [],
  more: Partial<Described> = {},
): Described => ({
  url: at(name),
  format: 'module',
  hash: `hash of ${name}`,
  made: false,
  mapped: false,
  changed: 0,
  names: [],
  imports: edges(imports),
  requires: {},
  ...more,
});

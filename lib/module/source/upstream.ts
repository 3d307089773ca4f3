import type { SourceService } from './service.ts';

/**
 * What a site's engine offers to this package when that runs in the site: modules that travelled there. The engine and
 * the package are different files, so they meet at a registered symbol.
 */
export interface Upstream extends SourceService {
  /** What lies in a file of the parent's that was located here, though it is not on this disk. */
  read(filename: string): Uint8Array | undefined;
}

/** How the text of a module that stands in for another one gets at its loader. */
export interface Door extends Upstream {
  require(filename: string): unknown;
  entered(url: string): object | undefined;
  /** What `import.meta.resolve` is in a module where Node's own would never return. */
  resolver(importer: string, byNode: (specifier: string) => string): (specifier: string) => string;
}

/** The name of the symbol under which a thread's doors are. */
export const DOORS = 'offsite.loaders';

const shared = globalThis as { [DOOR in symbol]?: Door[] };

/** Opens a door; returns its number. */
export const openDoor = (door: Door): number => {
  const key = Symbol.for(DOORS);
  if (!shared[key]) Object.defineProperty(shared, key, { value: [], configurable: true });
  return shared[key]!.push(door) - 1;
};

/** The way to the disk of this site's parent, if this is a site to which modules travelled. */
export const upstream = (): Upstream | undefined => shared[Symbol.for(DOORS)]?.[0];

import { realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotServedError } from '../errors.ts';
import { isBare, resolveEdge } from './resolution.ts';
import type { Roots } from './roots.ts';
import { type Scan, scan } from './scan.ts';
import type { Described, Edge, Way } from './service.ts';

/** How many files are read at once. */
const AT_ONCE = 32;

/** A described module, and the bytes that a site may ask for. */
export interface Found {
  readonly described: Described;
  readonly bytes: Buffer;
}

/** What a walk through imports may touch, and what it leaves out. */
export interface Walk {
  readonly roots: Roots;
  /** Whether the site knows a module, and with it all that it imports. */
  readonly known: (url: string) => boolean;
  /** Whether only what has to be made is wanted, because the site reads the rest by itself. */
  readonly sameDisk: boolean;
}

const NOT_FOLLOWED = /^(?:node|data|https?|blob):/;

/** A package's name with a way behind it that may lead out of the package; URLs read much as a dot or a slash. */
const CLIMBS = /(?:^|\/)\.{1,2}(?:\/|$)|%2e|%2f|%5c|[\\\p{Cc} ]/iu;

/** Why a file is not served. */
export const notServed = (specifier: string, importer: string): Edge => {
  const { name, code, message } = new NotServedError(
    `'${specifier}', which ${fileURLToPath(importer)} imports, is not served to the site: it lies outside of the ` +
      'packages of linked modules and their node_modules, or is neither code nor JSON. Name its folder in the option ' +
      '`serve`, or have it in the same place on the site.',
  );
  return { name, code, message, siteMayHave: true };
};

/** The path that a module names; `undefined` if it is none, which Node will say. */
const pathOf = (specifier: string, importer: string, way: Way): string | undefined => {
  // What is required is no URL.
  if (way === 'require') return resolve(dirname(fileURLToPath(importer)), specifier);
  try {
    return fileURLToPath(new URL(specifier, importer));
  } catch {
    return undefined;
  }
};

/** Whether a path that a module names may be looked at; what is not served is not even said to be there. */
const mayLook = (specifier: string, importer: string, way: Way, roots: Roots): boolean => {
  const path = pathOf(specifier, importer, way);
  if (path === undefined || roots.has(path)) return true;
  try {
    return roots.has(realpathSync(path));
  } catch {
    return false;
  }
};

/** Where a specifier of a served module leads; a package that Node finds from there is served from then on. */
export const follow = (specifier: string, importer: string, way: Way, roots: Roots): Edge | undefined => {
  if (isBuiltin(specifier) || NOT_FOLLOWED.test(specifier)) return;
  if (!isBare(specifier) && !mayLook(specifier, importer, way, roots)) return notServed(specifier, importer);
  const edge = resolveEdge(specifier, importer, way);
  if (!edge || !('url' in edge)) return edge;
  const path = fileURLToPath(edge.url);
  // Packages of a workspace are symbolic links in node_modules that lead out of it.
  if (isBare(specifier) && !CLIMBS.test(specifier)) roots.addPackageOf(path);
  return roots.has(path) ? edge : notServed(specifier, importer);
};

/** All names of a CommonJS module, those of modules whose names it has too included. */
const namesOf = async (url: string, found: Scan, seen = new Set<string>()): Promise<string[]> => {
  seen.add(url);
  const others = found.reexports.map(async (specifier) => {
    const edge = isBuiltin(specifier) ? undefined : resolveEdge(specifier, url, 'require');
    if (!edge || !('url' in edge) || seen.has(edge.url)) return [];
    try {
      return await namesOf(edge.url, await scan(fileURLToPath(edge.url)), seen);
    } catch {
      // The edge to it says why.
      return [];
    }
  });
  const names = [...found.names, ...(await Promise.all(others)).flat()];
  return [...new Set(names)].filter((name) => name !== 'default');
};

const edgesOf = (specifiers: readonly string[], url: string, way: Way, roots: Roots) =>
  Object.fromEntries(
    specifiers.flatMap((specifier) => {
      const edge = follow(specifier, url, way, roots);
      return edge ? [[specifier, edge] as const] : [];
    }),
  );

const describe = async (url: string, roots: Roots): Promise<Found> => {
  const found = await scan(fileURLToPath(url));
  const { format, hash, made, mapped, changed, bytes } = found;
  const described: Described = {
    url,
    format,
    hash,
    made,
    mapped,
    changed,
    names: await namesOf(url, found),
    imports: edgesOf(found.imports, url, 'import', roots),
    requires: edgesOf(found.requires, url, 'require', roots),
  };
  return { described, bytes };
};

const edgesIn = ({ imports, requires }: Described): Edge[] => [
  ...Object.values(imports),
  ...Object.values(requires),
];

/** Turns edges to what could not be read into their failures, which the site throws where they are imported. */
const withFailures = (found: Found, failures: ReadonlyMap<string, Edge>): Found => {
  const mend = (edges: Readonly<Record<string, Edge>>) =>
    Object.fromEntries(
      Object.entries(edges).map(([specifier, edge]) => [
        specifier,
        ('url' in edge && failures.get(edge.url)) || edge,
      ]),
    );
  const { described, bytes } = found;
  return {
    described: { ...described, imports: mend(described.imports), requires: mend(described.requires) },
    bytes,
  };
};

/**
 * Finds a module and all that it imports, breadth first, without what the site knows. Rejects if the module itself
 * can't be read; for what it imports, the edge to it says why.
 */
export const closureOf = async (entry: string, { roots, known, sameDisk }: Walk): Promise<Found[]> => {
  const found: Found[] = [];
  const failures = new Map<string, Edge>();
  const seen = new Set([entry]);
  const skip = (url: string) => seen.has(url) || known(url) || (sameDisk && url.includes('/node_modules/'));
  const tryToDescribe = async (url: string): Promise<Found | undefined> => {
    try {
      return await describe(url, roots);
    } catch (cause) {
      if (url === entry) throw cause;
      const { name, code = 'ERR_MODULE_NOT_FOUND', message } = cause as NodeJS.ErrnoException;
      failures.set(url, { name, code, message });
      return undefined;
    }
  };
  for (let front = known(entry) ? [] : [entry]; front.length > 0; ) {
    const next: string[] = [];
    for (let at = 0; at < front.length; at += AT_ONCE) {
      for (const each of await Promise.all(front.slice(at, at + AT_ONCE).map(tryToDescribe))) {
        if (!each) continue;
        found.push(each);
        for (const edge of edgesIn(each.described)) {
          if (!('url' in edge) || skip(edge.url)) continue;
          seen.add(edge.url);
          next.push(edge.url);
        }
      }
    }
    front = next;
  }
  return failures.size === 0 ? found : found.map((each) => withFailures(each, failures));
};

import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Described, Edge } from '../../module/source/service.ts';

/** A module of the parent's as it is loaded here. */
export interface Instance {
  /** Under which Node holds it: the parent's URL, with a number behind it for a later instance. */
  readonly url: string;
  /** The same for CommonJS. */
  readonly filename: string;
  readonly described: Described;
  /** Where its specifiers lead, for this instance. */
  readonly imports: Record<string, Edge>;
  readonly requires: Record<string, Edge>;
}

/** What decides whether a module is loaded again. */
export interface Renewal {
  /** The module that its user wants anew. */
  readonly entry: string;
  /** For modules that Node has read from the same disk by itself: those changed since then have to be read again. */
  readonly since: number;
}

const targetsOf = ({ imports, requires }: Described): string[] =>
  [...Object.values(imports), ...Object.values(requires)].flatMap((edge) =>
    'url' in edge ? [edge.url] : [],
  );

/** The modules that travelled here. Of each URL there may be several instances; new importers get the latest. */
export class Instances {
  readonly #latest = new Map<string, Instance>();
  readonly #byURL = new Map<string, Instance>();
  readonly #byFile = new Map<string, Instance>();
  readonly #counts = new Map<string, number>();
  readonly #leftToNode: (described: Described) => boolean;

  /** `leftToNode` says which modules Node reads by itself, because they lie here as they are. */
  constructor(leftToNode: (described: Described) => boolean) {
    this.#leftToNode = leftToNode;
  }

  /** The instance that a new importer of a URL gets. */
  latest(url: string): Instance | undefined {
    return this.#latest.get(url);
  }

  /** The instance that Node holds under a URL. */
  at(url: string): Instance | undefined {
    return this.#byURL.get(url);
  }

  /** The instance that Node holds under a file's name. */
  inFile(filename: string): Instance | undefined {
    return this.#byFile.get(filename) ?? this.#latest.get(pathToFileURL(filename).href);
  }

  /** Makes instances of what has not been one before, or has to be one again. */
  add(modules: readonly Described[], renewal?: Renewal): Instance[] {
    const again = renewal ? this.#again(modules, renewal) : new Set<string>();
    const wanted = modules.filter(
      (each) => again.has(each.url) || (!this.#latest.has(each.url) && !this.#leftToNode(each)),
    );
    const urls = new Map(
      wanted.map((each) => [
        each.url,
        this.#nextURL(each.url, again.has(each.url) && this.#leftToNode(each)),
      ]),
    );
    const point = (edges: Readonly<Record<string, Edge>>) =>
      Object.fromEntries(
        Object.entries(edges).map(([specifier, edge]) => {
          if (!('url' in edge)) return [specifier, edge];
          return [specifier, { url: urls.get(edge.url) ?? this.#latest.get(edge.url)?.url ?? edge.url }];
        }),
      );
    const instances = wanted.map((described): Instance => {
      const url = urls.get(described.url)!;
      const filename = fileURLToPath(described.url) + url.slice(described.url.length);
      const [imports, requires] = [point(described.imports), point(described.requires)];
      return { url, filename, described, imports, requires };
    });
    for (const instance of instances) {
      this.#latest.set(instance.described.url, instance);
      this.#byURL.set(instance.url, instance);
      this.#byFile.set(instance.filename, instance);
    }
    return instances;
  }

  /** What has changed, and what imports something that has: the importers must not go on with the old one. */
  #again(modules: readonly Described[], { entry, since }: Renewal): Set<string> {
    const importers = new Map<string, string[]>();
    for (const described of modules) {
      for (const target of targetsOf(described)) {
        importers.set(target, [...(importers.get(target) ?? []), described.url]);
      }
    }
    const again = new Set([entry]);
    for (const each of modules) {
      const latest = this.#latest.get(each.url);
      const renewed = latest
        ? latest.described.hash !== each.hash
        : this.#leftToNode(each) && each.changed >= since;
      if (renewed) again.add(each.url);
    }
    // A set yields what is added while it is walked.
    for (const url of again) for (const importer of importers.get(url) ?? []) again.add(importer);
    return again;
  }

  #nextURL(url: string, nodeHasFirst: boolean): string {
    const count = this.#counts.get(url) ?? (nodeHasFirst ? 1 : 0);
    this.#counts.set(url, count + 1);
    return count === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}fresh=${count + 1}`;
  }
}

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import type { Described, Edge, Way, Wish } from '../../../lib/module/source/service.ts';
import { Sources } from '../../../lib/module/source/sources.ts';

/** A folder for each test of a file, which is removed after it; its name has what names may have. */
export const disk = () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite source #1 ')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  return {
    get folder() {
      return folder;
    },
    path,
    url: (name: string) => pathToFileURL(path(name)).href,
    /** Writes a file, with the folders around it; gives its URL. */
    write(name: string, text: string | Uint8Array): string {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
      return pathToFileURL(path(name)).href;
    },
    /** Makes a symbolic link; gives its URL. */
    symlink(name: string, target: string): string {
      mkdirSync(dirname(path(name)), { recursive: true });
      symlinkSync(path(target), path(name));
      return pathToFileURL(path(name)).href;
    },
  };
};

/** What a site asks with that knows nothing. */
export const NEW: Wish = { installed: 0, sameDisk: false };

/** The last part of each module's URL. */
export const namesOf = (modules: readonly Described[]): string[] =>
  modules.map(({ url }) => url.slice(url.lastIndexOf('/') + 1));

/** What an edge that leads nowhere says. */
export const failureOf = (edge: Edge | undefined): { code: string; message: string; siteMayHave?: true } => {
  if (!edge || 'url' in edge) throw new Error(`Leads to ${edge?.url}`);
  return edge;
};

/** What the error of a file that is not served looks like. */
export const refused = { code: 'ERR_OFFSITE_NOT_SERVED' };

/** Sources that serve what was linked. */
export const serving = (...linked: string[]): Sources => {
  const sources = new Sources();
  for (const each of linked) sources.link({ url: each });
  return sources;
};

/** Where a specifier leads, as a site that knows nothing is told. */
export const edgeOf = async (sources: Sources, specifier: string, importer: string, way: Way = 'require') =>
  (await sources.resolve(specifier, importer, way, NEW))?.edge;

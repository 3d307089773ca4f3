import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { RemoteManager } from '../../../lib/index.ts';
import { closeTracked, track } from '../../support/sites.ts';

afterEach(closeTracked);

/** How many sites are ended; without the remedy one in ten leaves a file open. */
const SITES = 60;

/** Imports one file after another, and tells when it is at it. */
const IMPORTER = `export async function forEver(heard) {
  for (let copy = 0; ; copy++) {
    await import('./module.mjs?' + copy);
    if (copy === 3) heard();
  }
}`;
interface Importer {
  forEver(heard: () => void): Promise<never>;
}

/** The files below `folder` that this process has open. */
const openIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((each) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${each}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // the one through which the folder was read
    }
  });

test.skipIf(!existsSync('/proc/self/fd'))(
  'A virtual site that is killed while it imports leaves no file open in its process',
  async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-spec-')));
    try {
      writeFileSync(join(folder, 'module.mjs'), 'export default 1;');
      const file = join(folder, 'importer.mjs');
      writeFileSync(file, IMPORTER);
      const importerUrl = pathToFileURL(file);
      const endOne = async () => {
        const site = track(new RemoteManager({ fork: 'virtual' }));
        const importer = await site.link<Importer>(importerUrl);
        await new Promise<void>((resolve) => {
          importer.forEver(() => resolve()).catch(() => {});
        });
        await site.kill();
      };
      for (let ended = 0; ended < SITES; ended += 4) await Promise.all([1, 2, 3, 4].map(endOne));
      expect(openIn(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSiteFolders } from '../../lib/daemon/site-folders.ts';

test('the folder for sites is made with those above it', async () => {
  const top = mkdtempSync(join(tmpdir(), 'offsite-folders-'));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const prefix = join(top, 'a', 'b');
  const folders = await openSiteFolders({ name: 'bamse', prefix });
  expect(existsSync(folders.root)).toBe(true);
  expect(folders.root.startsWith(prefix)).toBe(true);
  await folders.close();
});

test.skipIf(process.platform !== 'linux')('where no folder can be made that is said at once', async () => {
  await expect(openSiteFolders({ name: 'bamse', prefix: '/proc/nope/sites' })).rejects.toMatchObject({
    code: 'ERR_OFFSITE_SITES_FOLDER',
    message: expect.stringMatching(/^\/proc\/nope\/sites, .* can not be made: ENOENT/),
  });
});

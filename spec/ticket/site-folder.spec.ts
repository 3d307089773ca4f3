import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePrivateFolder, makePrivateRoot } from '../../lib/ticket/folder.ts';
import { sweep } from '../../lib/ticket/site-folder.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  vi.stubEnv('XDG_RUNTIME_DIR', home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const anHourAgo = Date.now() / 1_000 - 3_600;

test('a sweep takes away what nobody listens in, and leaves the control sockets of programs alone', async () => {
  const leftover = makePrivateFolder();
  const socket = join(makePrivateRoot(), '4711.sock');
  writeFileSync(socket, '');
  for (const path of [leftover, socket]) utimesSync(path, anHourAgo, anHourAgo);
  await sweep();
  expect([existsSync(leftover), existsSync(socket)]).toEqual([false, true]);
});

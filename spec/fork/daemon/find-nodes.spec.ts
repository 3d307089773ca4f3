import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keyLine, newKey } from '../../../lib/access/key-file.ts';
import { Daemon, findNodes, watchNodes } from '../../../lib/index.ts';

test('a program finds a node by its address and its own key, and hears of it when it is there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-find-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const secretFile = join(folder, 'keys');
  const secret = keyLine(newKey('ada', 'use'));
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  const daemon = await Daemon.open({
    host: ['127.0.0.1'],
    port: 0,
    cpus: 2,
    name: 'node-1',
    access: { secretFile },
  });
  onTestFinished(() => daemon.stop({ now: true }));
  const where = [`127.0.0.1:${daemon.addresses[0]!.port}`];

  const { nodes } = await findNodes(where, { credentials: { secret } });
  expect(nodes.map(({ name, state }) => [name, state.state])).toEqual([['node-1', 'serving']]);
  const stranger = await findNodes(where, { credentials: { secret: keyLine(newKey('ada', 'use')) } });
  expect(stranger.nodes).toEqual([]);
  expect(stranger.trials[0]!.error).toMatchObject({ code: 'ERR_OFFSITE_ACCESS_KEY' });

  await using watch = await watchNodes(where, { credentials: { secret } });
  for await (const change of watch) {
    expect(change).toMatchObject({ up: { name: 'node-1', state: { cpus: 2 } } });
    break;
  }
});

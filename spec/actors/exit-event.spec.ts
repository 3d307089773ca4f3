import { expect, test } from 'vitest';
import { RemoteManager, type SiteExit } from '../../lib/index.ts';

test('a listener that is added after the end still hears of it', async () => {
  const site = new RemoteManager({ fork: 'virtual' });
  await site.close();
  const exit = await new Promise<SiteExit>((resolve) => site.on('exit', resolve));
  expect(exit.reason).toBe('closed');
});

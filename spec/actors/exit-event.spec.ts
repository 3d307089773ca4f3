import { expect, test } from 'vitest';
import { howItEnded } from '../../actors/remote-manager/death.ts';
import { RemoteManager, type SiteExit } from '../../lib/index.ts';

test('a listener that is added after the end still hears of it', async () => {
  const site = new RemoteManager({ fork: 'virtual' });
  await site.close();
  const exit = await new Promise<SiteExit>((resolve) => site.on('exit', resolve));
  expect(exit.reason).toBe('closed');
});

test('what broke the link is not said to be what the site has thrown', () => {
  const cause = new Error('read ECONNRESET');
  const death = { signal: null, stderr: [], cause } as const;
  expect(howItEnded({ ...death, exitCode: 1 })).toBe('died of an uncaught Error: read ECONNRESET');
  expect(howItEnded({ ...death, exitCode: 0, brokeLink: true })).toBe('ended with exit code 0');
  expect(howItEnded({ ...death, exitCode: null, brokeLink: true })).toContain('is not known here');
});

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { functor, RemoteManager } from '../../lib/index.ts';
import { waitUntilGone } from '../support/processes.ts';
import { rejection, track } from '../support/sites.ts';

describe('a process site', () => {
  test('that dies by itself takes what it has started with it', async () => {
    const site = track(new RemoteManager({ fork: 'sh' }));
    const module = await site.apply(
      functor({ import: { processes: 'node:child_process' } }, ({ processes }) => ({
        start: () => processes.spawn('sleep', ['600'], { stdio: 'ignore' }).pid,
        die: () => process.exit(3),
      })),
    );
    const pid = await module.start();
    expect(await rejection(module.die())).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', exitCode: 3 });
    await waitUntilGone([pid!], 1_000);
  });

  test('loses nothing of what it printed before it exits', async () => {
    const lines: string[] = [];
    const site = track(new RemoteManager({ fork: 'sh', stdout: (line) => lines.push(line) }));
    const module = await site.apply(
      functor(() => ({
        shout(count: number) {
          for (let i = 0; i < count; i++) console.log(`line ${i}`);
          process.exit(0);
        },
      })),
    );
    await rejection(module.shout(20_000));
    expect(lines).toHaveLength(20_000);
  });

  // Only there can a process's threads be seen from outside.
  test.runIf(process.platform === 'linux').each([
    ['has no thread for its lifeline before its first call', [], 1],
    ['has it before that if somebody else has code in its Node.js', ['--require', 'node:os'], 0],
  ])('%s', async (_title, execArgv, more) => {
    const site = track(new RemoteManager({ fork: 'sh', execArgv }));
    await site.ready;
    await site.ping();
    const threads = () => readdirSync(`/proc/${site.pid}/task`).length;
    const before = threads();
    // The thread is made before the call is performed, so it is there when the answer is.
    await site.link('node:os');
    expect(threads() - before).toBe(more);
  });
});

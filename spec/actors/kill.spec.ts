import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { functor, RemoteManager, type RemoteManagerOptions, Supervisor } from '../../lib/index.ts';
import { waitUntilGone } from '../support/processes.ts';
import { closeTracked, rejection, track } from '../support/sites.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
});
afterEach(async () => {
  await closeTracked();
  rmSync(home, { recursive: true });
});

/** What a site leaves where it could do something before its end. */
const trace = () => join(home, 'trace');

const ssh = inject('ssh');
const methods: [string, () => RemoteManagerOptions][] = [['sh', () => ({ fork: 'sh' })]];
if (ssh.unavailable === undefined) {
  methods.push(['ssh', () => ({ fork: 'ssh', host: ssh.host, sshOptions: ssh.options })]);
}

/** Has a site heed neither SIGTERM nor who asks it; `start` gives what it has started. */
const stubborn = functor(
  { import: { fs: 'node:fs', processes: 'node:child_process' } },
  ({ fs, processes }) => ({
    start: (file: string) => {
      process.on('SIGTERM', () => fs.appendFileSync(file, 'SIGTERM\n'));
      process.on('exit', () => fs.appendFileSync(file, 'exit\n'));
      return processes.spawn('sleep', ['600'], { stdio: 'ignore' }).pid;
    },
    never: () => new Promise<void>(() => {}),
  }),
);

describe.each(methods)('a site forked by %s', (_name, options) => {
  test('that is killed is not asked, gets no SIGTERM, and takes its group with it', async () => {
    const site = track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options() }));
    const module = await site.apply(stubborn);
    const below = await module.start(trace());
    const call = rejection(module.never());
    const exit = new Promise((resolve) => site.on('exit', resolve));
    const cause = new Error('enough');
    await Promise.all([site.kill({ cause }), site.kill()]);
    await waitUntilGone([site.pid!, below!], 1_000);
    expect(await call).toMatchObject({ code: 'ERR_OFFSITE_CLOSED', mayHaveRun: true, cause });
    expect([site.state, await exit]).toMatchObject(['closed', { reason: 'closed' }]);
    expect(existsSync(trace())).toBe(false);
    await site.kill();
  });
});

describe('a site', () => {
  test('that is a thread is terminated, whatever it does', async () => {
    const site = track(new RemoteManager({ fork: 'virtual' }));
    const module = await site.apply(
      functor(() => ({
        spin: () => {
          for (;;);
        },
      })),
    );
    const call = rejection(module.spin());
    await site.kill();
    expect(await call).toMatchObject({ code: 'ERR_OFFSITE_CLOSED' });
    expect(site.state).toBe('closed');
  });

  test('that is killed while it starts never does, and leaves nothing', async () => {
    const site = track(new RemoteManager({ fork: 'sh' }));
    await site.kill();
    expect((await rejection(site.ready)).message).toMatch(/closed while it started/);
    expect(site.state).toBe('closed');
  });

  test('whose shutdown is brutal is killed by its supervisor, and gone at once', async () => {
    const supervisor = new Supervisor({
      children: [{ id: 'calc', start: () => new RemoteManager({ fork: 'sh' }), shutdown: 'brutal' }],
    });
    const site = track(await supervisor.child('calc').whenUp());
    const below = await site.apply(stubborn).start(trace());
    await supervisor.close();
    await waitUntilGone([site.pid!, below!], 1_000);
    expect(existsSync(trace())).toBe(false);
  });
});

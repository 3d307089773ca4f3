import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type JobServerOptions, NoNodeError, RemoteManager } from '../../lib/index.ts';
import { attack, fileOf } from '../access/entrances.ts';
import { closeDaemons, hostOf, openDaemon } from '../actors/daemon/support.ts';
import { newSecret } from '../support/daemon.ts';
import { closeJobs, openJobs } from '../support/jobs.ts';
import { rejection } from '../support/sites.ts';
import { freePort } from '../support/sshd.ts';
import { openRelay } from './relay.ts';
import { REPEATS, served, tasks } from './served.ts';

/** What is allowed beyond a stated time, on a machine that is not ours alone. */
const SLACK = 2_000;
const each = Array.from({ length: REPEATS }, (_, at) => at);

describe('defects of who may come in that others have, each tried 20 times', () => {
  const hosts = served(['--name', 'node-1', '--cpus', '2']);
  closeJobs();
  beforeEach(() => {
    vi.stubEnv('XDG_CONFIG_HOME', '/nonexistent');
    vi.stubEnv('OFFSITE_SECRET_FILE', '');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await closeDaemons();
  });

  type Case = readonly [
    what: string,
    code: string,
    why: RegExp,
    where: () => Promise<{ host: string; secret?: string }>,
  ];
  const cases: readonly Case[] = [
    ['a wrong secret', 'KEY', /key/, async () => ({ host: hosts[0]!.host, secret: newSecret() })],
    ['no TLS where the daemon wants it', 'TLS', /TLS|credentials/, async () => ({ host: hosts[0]!.host })],
    [
      'TLS where the daemon has none',
      'TLS',
      /TLS|credentials/,
      async () => ({ host: hostOf(await openDaemon()), secret: newSecret() }),
    ],
    [
      'no daemon',
      'REFUSED',
      /nothing listens|ECONNREFUSED/i,
      async () => ({ host: `127.0.0.1:${await freePort()}`, secret: newSecret() }),
    ],
  ];

  test.each(cases)(
    'D4. %s is a typed error within nodeTimeout for jobs, and at once for sites, 20 times',
    async (_what, code, why, where) => {
      const WITHIN = 300;
      const { host, secret } = await where();
      const options: JobServerOptions = {
        ncpus: 0,
        servers: [host],
        nodeTimeout: WITHIN,
        ...(secret !== undefined && { secret }),
      };
      await Promise.all(
        each.map(async () => {
          const jobs = await openJobs(options);
          const began = performance.now();
          const error = await rejection(jobs.submit(tasks.add, [1, 2]).result);
          expect(error).toBeInstanceOf(NoNodeError);
          expect(error).toMatchObject({ code: 'ERR_OFFSITE_JOB_NO_NODE' });
          expect((error as unknown as NoNodeError).servers).toEqual(
            expect.arrayContaining([{ server: host, why: expect.stringMatching(why) }]),
          );
          expect(performance.now() - began).toBeLessThan(WITHIN + SLACK);
        }),
      );
      const credentials = secret === undefined ? {} : { secret };
      for (const _ of each) {
        const site = new RemoteManager({ host, fork: 'daemon', credentials, stderr: 'ignore' });
        const began = performance.now();
        expect(await rejection(site.ready)).toMatchObject({
          name: 'ForkError',
          cause: { code: `ERR_OFFSITE_ACCESS_${code}` },
        });
        expect(performance.now() - began).toBeLessThan(SLACK);
      }
    },
  );

  test('D12. handshakes that were recorded or are sent back to who says them let nobody in, 20 times', async () => {
    const secret = newSecret();
    const daemon = await openDaemon({ access: { secretFile: fileOf(`${secret}\n`) }, host: ['127.0.0.1'] });
    const address = daemon.addresses[0]!;
    let came = 0;
    daemon.events.on('client', () => came++);
    const relay = await openRelay(address.port);
    const credentials = { secret };
    for (const at of each) {
      const from = relay.said.length;
      const site = new RemoteManager({ host: relay.host, fork: 'daemon', credentials });
      await site.ready;
      const gone = once(daemon.events, 'clientGone');
      await site.close();
      await gone;
      const said = Buffer.concat(relay.said.slice(from));
      expect(came).toBe(at + 1);
      const hello = said.subarray(0, 5 + said.readUInt16BE(3));
      const heard = await Promise.all([
        attack(address, said),
        attack(address, Buffer.concat([said, said])),
        // All that the daemon says goes back to it.
        attack(address, hello, (socket, chunk) => socket.write(chunk)),
      ]);
      // It has said something, namely its own part of a fresh handshake.
      expect(heard[0]!.length).toBeGreaterThan(0);
      expect([came, daemon.clients().length]).toEqual([at + 1, 0]);
    }
    await relay.cut();
  });
});

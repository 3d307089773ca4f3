import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noLan } from '../support/lan.ts';
import { waitUntilGone } from '../support/processes.ts';
import { checkAll } from './check-all.ts';
import { Hosts } from './hosts.ts';

const unavailable = noLan({ hidden: true });
/** A site that is out of reach for so long is given up, in milliseconds; it then has ended itself. */
const GIVEN_UP_AFTER = 5_000;
const LONG = 1_200;
const A_STEP = 200;

describe.skipIf(unavailable)(`hosts behind routers${unavailable ? ` (skipped: ${unavailable})` : ''}`, () => {
  let hosts: Hosts;
  beforeAll(() => {
    hosts = new Hosts();
  });
  afterAll(() => hosts.close());

  test('that nobody can dial run jobs of those who dial their scheduler', { timeout: 180_000 }, async () => {
    const { lan } = hosts;
    const [boss, home] = [lan.host(), lan.host()];
    const [atDora, atEmil] = [lan.hiddenHost(), lan.hiddenHost()];
    const scheduler = () =>
      hosts.run(boss, 'boss', ['scheduler', '--host', '0.0.0.0', '--secret-file', hosts.keys]);
    const first = await scheduler();
    // One has an open port too, behind a router that lets nobody in, and one has none.
    const own = { OFFSITE_SECRET_FILE: hosts.nodeKey };
    const join = [
      'join',
      `wss://${boss.address}`,
      '--name',
      'emil',
      '--cpus',
      '2',
      '--secret-file',
      hosts.nodeKey,
    ];
    await Promise.all([
      hosts.serve(atDora, 'dora', ['--scheduler-host', boss.address], own),
      hosts.run(atEmil, 'emil', join),
    ]);

    const credentials = { secretFile: hosts.clientKey };
    const direct = hosts.client(home);
    await direct.open({ servers: [atDora.address], credentials, nodeTimeout: 2_000 });
    direct.submit({ from: 0, to: 1, ms: 20 });
    await direct.over(1);
    expect(direct.became(0)).toMatchObject({ error: 'ERR_OFFSITE_JOB_NO_NODE' });
    await direct.close();

    const client = hosts.client(home);
    const site = { unreachableTimeout: GIVEN_UP_AFTER };
    const servers = [{ host: `${boss.address}:35100`, fork: 'daemon' as const, site }];
    await client.open({ servers, credentials, nodeTimeout: 120_000 });
    client.submit({ from: 0, to: A_STEP, ms: 20, retry: 1 });
    await client.over(A_STEP);
    expect(client.finishedOn('dora')).toBeGreaterThan(0);
    expect(client.finishedOn('emil')).toBeGreaterThan(0);

    // One is cut off with what it runs, and comes back by itself.
    const sites = await client.submitLong(A_STEP, 'dora', LONG);
    client.submit({ from: A_STEP + 2, to: 2 * A_STEP, ms: 20, retry: 1 });
    atDora.cut();
    await waitUntilGone(sites, 2 * GIVEN_UP_AFTER);
    await client.over(2 * A_STEP - 1);
    atDora.mend();
    await client.over(2 * A_STEP);

    // The scheduler dies; another one takes its place, and all find it.
    await first.kill('SIGKILL');
    await scheduler();
    client.submit({ from: 2 * A_STEP, to: 3 * A_STEP, ms: 20, retry: 1 });
    await client.over(3 * A_STEP);
    await client.close();
    checkAll(3 * A_STEP, {
      overs: client.overs,
      runs: hosts.runs(),
      rejected: [A_STEP],
      runTwice: [A_STEP + 1],
    });
    expect(client.became(A_STEP)).toMatchObject({
      error: 'ERR_OFFSITE_JOB_LOST',
      mayHaveRun: true,
      lostOn: 'dora',
    });
  });
});

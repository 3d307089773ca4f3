import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noLan } from '../support/lan.ts';
import { waitUntilGone } from '../support/processes.ts';
import { checkAll } from './check-all.ts';
import { Hosts } from './hosts.ts';

const unavailable = noLan();
/** A site that is out of reach for so long is given up, in milliseconds; it then has ended itself. */
const GIVEN_UP_AFTER = 5_000;
/** How long a job takes that is to be running when its node is lost, but is done before the site ends itself. */
const LONG = 1_200;
const JOBS = 2_000;
const A_STEP = JOBS / 4;

describe.skipIf(unavailable)(`three hosts${unavailable ? ` (skipped: ${unavailable})` : ''}`, () => {
  let hosts: Hosts;
  beforeAll(() => {
    hosts = new Hosts();
  });
  afterAll(() => hosts.close());

  test('do 2,000 jobs without a loss and none twice, whatever happens to them', {
    timeout: 180_000,
  }, async () => {
    const { lan } = hosts;
    const [atAda, atBea, atCleo] = [lan.host(), lan.host(), lan.host()];
    const client = hosts.client(lan.host());
    const [ada] = await Promise.all([hosts.serve(atAda, 'ada'), hosts.serve(atBea, 'bea')]);
    let submitted = 0;
    const submit = (to: number) => {
      client.submit({ from: submitted, to, ms: 20, retry: 1 });
      submitted = to;
    };

    // Found by multicast.
    await client.open({
      nodeTimeout: 120_000,
      servers: [{ host: 'auto', fork: 'daemon', site: { unreachableTimeout: GIVEN_UP_AFTER } }],
      credentials: { secretFile: hosts.clientKey },
    });
    submit(A_STEP);
    await client.over(A_STEP);
    expect(client.finishedOn('ada')).toBeGreaterThan(0);
    expect(client.finishedOn('bea')).toBeGreaterThan(0);

    // One is lost in the middle, with all that runs there.
    const lostWithAda = submitted;
    const sitesOfAda = await client.submitLong(lostWithAda, 'ada', LONG);
    submitted += 2;
    submit(2 * A_STEP);
    await ada.kill('SIGKILL');
    await client.until('the loss', () => client.stateOf('ada') === 'lost');
    await waitUntilGone(sitesOfAda, 5_000);
    // All are over but the one that may run there only, and again.
    await client.over(2 * A_STEP - 1);

    // One joins late, and the one that was lost comes back.
    submit(3 * A_STEP);
    await Promise.all([hosts.serve(atAda, 'ada'), hosts.serve(atCleo, 'cleo')]);
    await client.finishes(20, 'cleo');
    await client.over(3 * A_STEP);

    // The cable of one is pulled. Its sites end themselves, and when it is plugged in again it gets jobs by itself.
    const lostWithBea = submitted;
    const sitesOfBea = await client.submitLong(lostWithBea, 'bea', LONG);
    submitted += 2;
    submit(4 * A_STEP - 100);
    atBea.cut();
    await waitUntilGone(sitesOfBea, 2 * GIVEN_UP_AFTER);
    await client.until('the loss', () => client.became(lostWithBea) !== undefined);
    await client.over(4 * A_STEP - 100 - 1);
    atBea.mend();
    await client.pidOf(lostWithBea + 1);
    submit(4 * A_STEP);
    await client.over(4 * A_STEP);
    await client.close();

    const runs = hosts.runs();
    const rejected = [lostWithAda, lostWithBea];
    const runTwice = rejected.map((job) => job + 1);
    checkAll(JOBS, { overs: client.overs, runs, rejected, runTwice });
    const lost = { error: 'ERR_OFFSITE_JOB_LOST', mayHaveRun: true };
    expect(client.became(lostWithAda)).toMatchObject({ ...lost, lostOn: 'ada' });
    expect(client.became(lostWithBea)).toMatchObject({ ...lost, lostOn: 'bea', status: 'abandoned' });
    // Cut off, both came to their ends before their sites did, and nobody was told.
    const cutOff = runs.filter(({ job, pid }) => job >= lostWithBea && sitesOfBea.includes(pid));
    expect(cutOff.map(({ isDone }) => isDone)).toEqual([true, true]);
  });
});

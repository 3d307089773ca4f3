import { afterEach, describe, expect, inject, test, vi } from 'vitest';
import { ReachWatch } from '../../actors/remote-manager/health.ts';
import { type Fault, functor, RemoteManager, type RemoteManagerOptions } from '../../lib/index.ts';
import { alive, waitUntilGone } from '../support/processes.ts';
import { closeTracked, rejection, track } from '../support/sites.ts';

const HEARTBEAT = 150;

const ssh = inject('ssh');
const overSsh = (): RemoteManagerOptions => {
  if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
  return { fork: 'ssh', host: ssh.host, sshOptions: ssh.options };
};
const processes: [string, () => RemoteManagerOptions][] = [
  ['sh', () => ({ fork: 'sh' })],
  ...(ssh.unavailable === undefined ? [['ssh', overSsh] as [string, () => RemoteManagerOptions]] : []),
];

const start = (options: RemoteManagerOptions) =>
  track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', heartbeat: HEARTBEAT, ...options }));

const works = async (site: RemoteManager) => {
  await site.ready;
  return site.apply(
    functor(() => {
      const seen: number[] = [];
      return {
        block(milliseconds: number) {
          const end = Date.now() + milliseconds;
          while (Date.now() < end);
        },
        note: (number: number) => seen.push(number),
        noted: () => seen,
        never: () => new Promise<void>(() => {}),
      };
    }),
  );
};

/** Reads until the site is in that state; what it was in before is told too. */
const until = async (faults: AsyncIterable<Fault>, state: Fault['state']): Promise<string[]> => {
  const seen: string[] = [];
  for await (const fault of faults) {
    seen.push(fault.state);
    if (fault.state === state) break;
  }
  return seen;
};

afterEach(closeTracked);

describe.each([['virtual', () => ({ fork: 'virtual' })] as (typeof processes)[0], ...processes])(
  'the health of a site forked by %s',
  (_name, options) => {
    test('tells since when it is busy, and that it is not dead although it blocks', async () => {
      const site = start(options());
      expect(site.health).toEqual({ state: 'starting', busyFor: 0 });
      await site.ready;
      expect(site.health).toEqual({ state: 'idle', busyFor: 0 });
      const work = await works(site);
      const faults = site.faults();
      expect((await faults.next()).value).toMatchObject({ site: site.name, state: 'ok' });
      // Far longer than the signs of life of a site that is out of reach may be missing.
      const blocked = work.block(6 * HEARTBEAT);
      const changed = faults.next();
      const other = work.never().catch(() => {});
      await blocked;
      expect(site.health.state).toBe('busy');
      expect(site.health.busyFor).toBeGreaterThanOrEqual(6 * HEARTBEAT - 1);
      await site.close();
      expect((await changed).value).toMatchObject({ state: 'permFail' });
      expect(site.health).toEqual({ state: 'closed', busyFor: 0 });
      await other;
    });
  },
);

describe.each(processes)('a site forked by %s', (_name, options) => {
  test('that is stopped is out of reach, though nobody calls it, and comes back with nothing lost or repeated', async () => {
    const site = start(options());
    await site.ready;
    process.kill(site.pid!, 'SIGSTOP');
    // No call was made yet, so that the thread which tells of it was started for its own sake.
    expect(await until(site.faults(), 'tempFail')).toEqual(['ok', 'tempFail']);
    expect(site.health).toEqual({ state: 'unreachable', busyFor: 0 });
    process.kill(site.pid!, 'SIGCONT');
    await until(site.faults(), 'ok');
    const work = await works(site);

    process.kill(site.pid!, 'SIGSTOP');
    const calls = Array.from({ length: 100 }, (_, number) => work.note(number));
    await until(site.faults(), 'tempFail');
    expect(site.health.state).toBe('unreachable');
    calls.push(work.note(100));
    process.kill(site.pid!, 'SIGCONT');
    await until(site.faults(), 'ok');
    const numbers = Array.from({ length: 101 }, (_, number) => number);
    expect(await Promise.all(calls)).toEqual(numbers.map((number) => number + 1));
    expect(await work.noted()).toEqual(numbers);
    expect(site.health).toEqual({ state: 'idle', busyFor: 0 });
  });

  test('that is out of reach for too long is killed, and its calls reject', async () => {
    const site = start({ ...options(), unreachableTimeout: 4 * HEARTBEAT });
    const work = await works(site);
    const exited = new Promise((resolve) => site.on('exit', resolve));
    const pid = site.pid!;
    const call = rejection(work.never());
    process.kill(pid, 'SIGSTOP');
    const error = await call;
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', reason: 'unreachable', mayHaveRun: true });
    expect(error.message).toMatch(/was out of reach for \d+ ms, .* was given up; the call may have run/);
    expect(await exited).toMatchObject({ reason: 'unreachable' });
    expect(site.health).toEqual({ state: 'crashed', busyFor: 0 });
    expect(await rejection(work.noted())).toMatchObject({ reason: 'unreachable', mayHaveRun: false });
    await waitUntilGone([pid], 5_000);
  });

  test('that is out of reach is closed all the same', async () => {
    const site = start(options());
    await works(site);
    const pid = site.pid!;
    process.kill(pid, 'SIGSTOP');
    await until(site.faults(), 'tempFail');
    await site.close({ timeout: 10 });
    expect([alive(pid), site.health.state]).toEqual([false, 'closed']);
  });

  test('is not taken for silent because this process stood still', async () => {
    const site = start({ ...options(), unreachableTimeout: 4 * HEARTBEAT });
    await works(site);
    const faults = site.faults();
    await faults.next();
    const changed = faults.next();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6 * HEARTBEAT);
    await site.ping();
    expect(site.health.state).toBe('idle');
    await site.close();
    expect((await changed).value?.state).toBe('permFail');
  });
});

test('a site whose command does not pass its signs of life on is not missed for it', async () => {
  const site = start({
    fork: ['sh', '-c', 'exec "$@" 2>/dev/null', 'sh'],
    heartbeat: 40,
    unreachableTimeout: 120,
  });
  const work = await works(site);
  await work.block(400);
  expect(await work.note(1)).toBe(1);
  expect(site.health.state).toBe('idle');
});

test('a detached site that is given up is not killed', async () => {
  const site = start({ fork: 'sh', detach: true, unreachableTimeout: 4 * HEARTBEAT });
  await works(site);
  const pid = site.pid!;
  try {
    process.kill(pid, 'SIGSTOP');
    await until(site.faults(), 'permFail');
    expect(alive(pid)).toBe(true);
  } finally {
    process.kill(pid, 'SIGKILL');
  }
  await waitUntilGone([pid], 1_000);
});

describe('a watch over hours', () => {
  const watched = (unreachableTimeout: number) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const told: unknown[] = [];
    const state = { heardAt: 0 };
    const watch = new ReachWatch({
      heartbeat: 1_000,
      unreachableTimeout,
      heardAt: () => state.heardAt,
      onReach: (reachable) => told.push(reachable),
      onGiveUp: (silent) => told.push(silent),
    });
    watch.start();
    return { told, state, watch };
  };
  afterEach(() => vi.useRealTimers());

  test('never gives up if it is to wait for ever', () => {
    const { told, state, watch } = watched(Infinity);
    vi.advanceTimersByTime(3_600_000);
    expect(told).toEqual([false]);
    state.heardAt = performance.now();
    vi.advanceTimersByTime(100);
    expect([told, watch.reachable]).toEqual([[false, true], true]);
    watch.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tells after three signs that did not come, and gives up once', () => {
    const { told } = watched(60_000);
    vi.advanceTimersByTime(2_999);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([false]);
    vi.advanceTimersByTime(3_600_000);
    expect(told).toEqual([false, 60_000]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

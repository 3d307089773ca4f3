import { afterEach, describe, expect, it, vi } from 'vitest';
import { announce } from '../../lib/discovery/announce.ts';
import type { Trial } from '../../lib/discovery/node.ts';
import { type NodeChange, watchNodes } from '../../lib/discovery/watch.ts';
import { type DnsRecord, srv, startDns } from './dns-server.ts';
import { askName, freePort, startNamed } from './nodes.ts';

type Change = NodeChange<{ name: string; version: string }>;

const text = (change: Change | undefined): string =>
  change === undefined ? 'end' : 'up' in change ? `up ${change.up.name}` : `down ${change.down.name}`;

/** The next change, as a text; those of nodes that other programs announce are passed over. */
async function next(changes: AsyncIterator<Change>, ...ports: number[]): Promise<string> {
  for (;;) {
    const { value } = (await changes.next()) as { value?: Change };
    const node = value && ('up' in value ? value.up : value.down);
    if (!node || ports.length === 0 || ports.includes(node.address.port)) return text(value);
  }
}

/** Waits until something was tried in vain, so many times. */
function tries() {
  const trials: Trial[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  return {
    trials,
    onTrial: (trial: Trial) => {
      trials.push(trial);
      for (const { count, resolve } of waiting) if (trials.length >= count) resolve();
    },
    times: (count: number) =>
      new Promise<void>((resolve) => {
        waiting.push({ count, resolve });
        if (trials.length >= count) resolve();
      }),
  };
}

describe('a watch for nodes', () => {
  afterEach(() => void vi.useRealTimers());

  it('tells of a node that joins late, and tells why it is not there yet', async () => {
    const port = await freePort();
    const { trials, onTrial, times } = tries();
    const watch = await watchNodes([`127.0.0.1:${port}`], { probe: askName, onTrial });
    const changes = watch[Symbol.asyncIterator]();
    await times(1);
    expect(trials[0]).toMatchObject({ what: 'dial', port, outcome: 'failed' });
    const server = await startNamed('late', { port });
    expect(await next(changes)).toBe('up late');
    await server.close();
    await watch.close();
    expect(await next(changes)).toBe('end');
  });

  it('waits twice as long each time, but never more than 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { onTrial, times } = tries();
    const waits: number[] = [];
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const probe = () => Promise.reject(new Error('no'));
    const watch = await watchNodes(['127.0.0.1:7'], { probe, onTrial, timeout: 1_234 });
    for (let count = 1; count <= 9; count += 1) {
      await times(count);
      // The wait is set in the same turn in which the trial is told.
      await Promise.resolve();
      const wait = timers.mock.calls
        .map(([, ms]) => ms!)
        .filter((ms) => ms !== 1_234)
        .at(-1)!;
      waits.push(wait);
      vi.advanceTimersByTime(wait);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    timers.mockRestore();
    await watch.close();
  });

  it('waits for one try no longer than it was told to, though the probe does', async () => {
    const { trials, onTrial, times } = tries();
    const probe = () => new Promise<never>(() => {});
    const watch = await watchNodes(['127.0.0.1:7'], { probe, onTrial, timeout: 50 });
    await times(1);
    expect(trials[0]).toMatchObject({ what: 'dial', port: 7, outcome: 'silent' });
    expect(trials[0]!.error?.message).toBe('127.0.0.1:7 did not answer within 50 ms.');
    await watch.close();
  });

  it('tries a node again that is said to be lost, until it is up again', async () => {
    const first = await startNamed('first');
    const { port } = first.address;
    const { onTrial, times } = tries();
    const watch = await watchNodes([`127.0.0.1:${port}`], { probe: askName, onTrial });
    const changes = watch[Symbol.asyncIterator]();
    const { value } = (await changes.next()) as { value: Change };
    expect(text(value)).toBe('up first');
    await first.close();
    watch.lost((value as { up: Parameters<typeof watch.lost>[0] }).up);
    await times(1);
    const second = await startNamed('second', { port });
    expect(await next(changes)).toBe('up second');
    await second.close();
    await watch.close();
  });

  it('tells of nodes as they announce themselves and say goodbye, but believes no goodbye in another’s name', async () => {
    const interfaces = ['127.0.0.1'];
    const watch = await watchNodes(['auto'], { probe: askName, interfaces });
    const changes = watch[Symbol.asyncIterator]();
    const server = await startNamed('bamse');
    const { port } = server.address;
    const options = { port, version: '1', secured: false, interfaces };
    const other = await startNamed('other');
    const announcement = await announce({ name: 'b', ...options });
    expect(await next(changes, port)).toBe('up bamse');
    // It still answers, so that it is not down: what follows is the next change.
    await announcement.close();
    const again = await announce({ name: 'c', ...options });
    await using _ = await announce({ name: 'd', ...options, port: other.address.port });
    expect(await next(changes, port, other.address.port)).toBe('up other');
    await other.close();
    await _.close();
    expect(await next(changes)).toBe('down other');
    await Promise.all([server.close(), again.close(), watch.close()]);
  });

  it('follows SRV records as they come and go, and takes the next priority while none of the first is up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const NAME = '_offsite._tcp.example.org';
    const [one, spare] = [await startNamed('one'), await startNamed('spare')];
    const records: DnsRecord[] = [];
    const dns = await startDns(records);
    const { onTrial, times, trials } = tries();
    const watch = await watchNodes(['srv:example.org'], {
      probe: askName,
      resolver: dns.resolver,
      onTrial,
      // Of the clock that is pushed on below.
      timeout: 1e9,
    });
    const changes = watch[Symbol.asyncIterator]();
    await times(1);
    expect(trials[0]).toMatchObject({ what: 'srv', outcome: 'failed' });
    const nobody = await freePort();
    records.push(srv(NAME, '127.0.0.1', nobody, 1), srv(NAME, '127.0.0.1', spare.address.port, 2));
    let isDone = false;
    const pushTime = async () => {
      // The clock stands still but for this; what it starts takes real time on real sockets.
      while (!isDone) {
        vi.advanceTimersByTime(5_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const pushing = pushTime();
    expect(await next(changes)).toBe('up spare');
    records.splice(0, 2, srv(NAME, '127.0.0.1', one.address.port, 1));
    const last = [await next(changes), await next(changes)].sort();
    expect(last).toEqual(['down spare', 'up one']);
    isDone = true;
    await pushing;
    await Promise.all([watch.close(), one.close(), spare.close(), dns.close()]);
  });

  it('ends with its signal, and when the loop is left', async () => {
    const server = await startNamed('one');
    const where = [`127.0.0.1:${server.address.port}`];
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const change of await watchNodes(where, { probe: askName, signal: stop.signal })) {
      seen.push(text(change));
      stop.abort();
    }
    for await (const change of await watchNodes(where, { probe: askName })) {
      seen.push(text(change));
      break;
    }
    expect(seen).toEqual(['up one', 'up one']);
    await expect(watchNodes(where, { probe: askName, signal: stop.signal })).rejects.toThrow(/abort/);
    await server.close();
  });
});

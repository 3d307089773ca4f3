import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Fault, Faults } from '../../actors/remote-manager/faults.ts';
import { RemoteManager } from '../../lib/index.ts';
import { closeTracked, rejection, track } from '../support/sites.ts';

const states = async (reader: AsyncIterable<Fault>): Promise<string[]> => {
  const seen: string[] = [];
  for await (const { state } of reader) seen.push(state);
  return seen;
};

afterEach(closeTracked);

describe('the faults of a site', () => {
  test('begin with the present state, follow each change, and end with the last', async () => {
    const faults = new Faults('bamse/1');
    const [early, late] = [faults.read(), faults.read()];
    expect((await early.next()).value).toMatchObject({ site: 'bamse/1', state: 'ok' });
    faults.report('tempFail');
    faults.report('tempFail');
    const read = Promise.all([states(early), states(late)]);
    faults.report('ok');
    const cause = new Error('gone');
    faults.report('permFail', cause);
    // It is final.
    faults.report('ok');
    expect(await read).toEqual([
      ['tempFail', 'ok', 'permFail'],
      ['tempFail', 'ok', 'permFail'],
    ]);
    expect(await states(faults.read())).toEqual(['permFail']);
    expect((await faults.read().next()).value).toMatchObject({ cause });
    expect(faults.readers).toBe(0);
  });

  test('are kept for a reader that does not read, but only the latest', async () => {
    const faults = new Faults('x');
    const reader = faults.read();
    await reader.next();
    for (let count = 0; count < 10_000; count++) faults.report(count % 2 ? 'ok' : 'tempFail');
    faults.report('permFail');
    const seen = await states(reader);
    expect(seen).toHaveLength(16);
    expect(seen.slice(-3)).toEqual(['tempFail', 'ok', 'permFail']);
  });

  test('hold no reader that has left its loop, or never began', async () => {
    const faults = new Faults('x');
    faults.read();
    for await (const _fault of faults.read()) break;
    const waiting = faults.read();
    await waiting.next();
    const next = waiting.next();
    expect(faults.readers).toBe(1);
    await waiting.return!();
    expect([await next, faults.readers]).toEqual([{ done: true, value: undefined }, 0]);
    expect(await waiting.next()).toEqual({ done: true, value: undefined });
  });

  test('end with the reason of the signal', async () => {
    const faults = new Faults('x');
    const controller = new AbortController();
    const reading = rejection(states(faults.read(controller.signal)));
    await turn();
    expect(faults.readers).toBe(1);
    controller.abort('enough');
    expect([await reading, faults.readers]).toEqual(['enough', 0]);
    expect(await rejection(faults.read(controller.signal).next())).toBe('enough');
    expect(await faults.read(AbortSignal.abort()).return!()).toMatchObject({ done: true });
  });
});

test('a site that never started, was closed or died tells why', async () => {
  const quiet = { stdout: 'ignore', stderr: 'ignore' } as const;
  const never = track(new RemoteManager({ ...quiet, fork: ['sh', '-c', 'exit 3'] }));
  const closed = track(new RemoteManager({ ...quiet, fork: 'virtual' }));
  const killed = track(new RemoteManager({ ...quiet, fork: 'sh' }));
  await Promise.all([closed.ready, killed.ready]);
  void closed.close({ cause: 'no more to do' });
  process.kill(killed.pid!, 'SIGKILL');
  const last = async (site: RemoteManager) => {
    let end: Fault | undefined;
    for await (const fault of site.faults()) end = fault;
    return end;
  };
  expect(await Promise.all([last(never), last(closed), last(killed)])).toMatchObject([
    { state: 'permFail', cause: { code: 'ERR_OFFSITE_FORK' } },
    { state: 'permFail', cause: { code: 'ERR_OFFSITE_CLOSED', cause: 'no more to do' } },
    { state: 'permFail', cause: { code: 'ERR_OFFSITE_CRASHED', signal: 'SIGKILL', reason: 'crashed' } },
  ]);
});

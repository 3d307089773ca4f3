import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bound } from '../../../lib/wire/call/bound.ts';
import { TimeoutError } from '../../../lib/wire/errors.ts';
import { pair, rejection, settled } from '../pair.ts';

const service = { never: () => new Promise(() => {}), add: (a: number, b: number) => a + b };

/** Promises in memory need no time, so that only the bound's own clock is a false one. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a bound', () => {
  test('of nothing is the same proxy, unchanged', () => {
    const { remote } = pair(service);
    const call = remote.add(1, 2);
    expect(bound(call, 'It')).toBe(call);
    expect(bound(call, 'It', {})).toBe(call);
    expect(bound(call, 'It', { timeout: 5 })).toBe(call);
  });

  test('lets an answer through that comes in time, and leaves no timer and no listener', async () => {
    const { remote } = pair(service);
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    expect(await bound(remote.add(1, 2), 'It', { timeout: 1_000, signal })).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  test('rejects when its time has passed, says what waited and for how long, and forgets the call', async () => {
    const { near, remote } = pair(service);
    const waiting = rejection(bound(remote.never(), 'Counting in bamse', { timeout: 250 }));
    await settled();
    vi.advanceTimersByTime(249);
    expect(near.session.inFlight).toBe(1);
    vi.advanceTimersByTime(1);
    const error = await waiting;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT', waited: 250 });
    expect(error.message).toMatch(/^Counting in bamse .*250 ms/);
    expect(near.session.inFlight).toBe(0);
  });

  test('rejects with the reason when it is aborted while it waits', async () => {
    const { near, remote } = pair(service);
    const controller = new AbortController();
    const waiting = rejection(bound(remote.never(), 'It', { signal: controller.signal, timeout: 9 }));
    await settled();
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(near.session.inFlight).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rejects with the reason when it was aborted before', async () => {
    const { remote } = pair(service);
    const reason = new Error('too late');
    expect(await rejection(bound(remote.add(1, 2), 'It', { signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    );
  });

  test('ignores what comes after the answer: an abort, a second one, and the time', async () => {
    const { remote } = pair(service);
    const controller = new AbortController();
    const call = bound(remote.add(1, 2), 'It', { signal: controller.signal, timeout: 10 });
    expect(await call).toBe(3);
    controller.abort();
    controller.abort();
    vi.advanceTimersByTime(100);
    expect(await call).toBe(3);
  });

  test('rejects once, whether the time or the abort comes first', async () => {
    const { remote } = pair(service);
    const controller = new AbortController();
    let rejections = 0;
    const call = bound(remote.never(), 'It', { signal: controller.signal, timeout: 10 });
    const waiting = call.then(undefined, (error: Error) => {
      rejections++;
      return error;
    });
    await settled();
    vi.advanceTimersByTime(10);
    controller.abort(new Error('second'));
    expect(await waiting).toBeInstanceOf(TimeoutError);
    expect(await rejection(call)).toBeInstanceOf(TimeoutError);
    expect(rejections).toBe(1);
  });

  test('drops the answer that comes too late, and the link lives', async () => {
    const { near, far, remote } = pair(service);
    far.link.hold();
    const waiting = rejection(bound(remote.add(1, 2), 'It', { timeout: 10 }));
    await settled();
    vi.advanceTimersByTime(10);
    expect(await waiting).toBeInstanceOf(TimeoutError);
    far.link.letGo();
    await settled();
    expect(await remote.add(2, 2)).toBe(4);
    expect(near.events.disconnected).toEqual([]);
  });

  test('of a call that nobody awaits rejects nothing that is unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const { remote } = pair(service);
      const call = bound(remote.never(), 'It', { timeout: 10 });
      await settled();
      vi.advanceTimersByTime(10);
      await settled();
      expect(unhandled).toEqual([]);
      expect(await rejection(call)).toBeInstanceOf(TimeoutError);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('of a ping works like that of a call', async () => {
    const { near, far } = pair(service);
    far.link.hold();
    const waiting = rejection(bound(near.session.ping(), 'A ping', { timeout: 10 }));
    vi.advanceTimersByTime(10);
    expect(await waiting).toBeInstanceOf(TimeoutError);
    far.link.letGo();
    await bound(near.session.ping(), 'A ping', { timeout: 10 });
  });
});

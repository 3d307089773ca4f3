import { describe, expect, test } from 'vitest';
import { callSignal } from '../../../lib/wire/call/scope.ts';
import { CANCELLABLE } from '../../../lib/wire/frame/frame.ts';
import { withOptions } from '../../../lib/wire/reference/handle.ts';
import type { Releasable } from '../../../lib/wire/reference/reference.ts';
import { pair, rejection, settled } from '../pair.ts';

/** A service whose calls run until they are given up, and what happened to it. */
const made = () => {
  const seen: unknown[] = [];
  let open!: (value: unknown) => void;
  const gate = new Promise((resolve) => {
    open = resolve;
  });
  const service = {
    gate: () => gate,
    work: (..._args: unknown[]) =>
      new Promise((_, reject) => {
        const signal = callSignal();
        seen.push(signal ? 'begun' : 'unbounded');
        signal?.addEventListener('abort', () => {
          seen.push(signal.reason);
          reject(signal.reason);
        });
      }),
  };
  const controller = new AbortController();
  const ends = pair(service);
  const work = withOptions(ends.remote.work as unknown as Releasable, {
    signal: controller.signal,
  }) as unknown as typeof ends.remote.work;
  return { ...ends, seen, open, controller, work };
};

describe('a call that is given up', () => {
  test('tells the function that runs, once, and the call rejects at once', async () => {
    const { seen, work, controller, far } = made();
    const waiting = rejection(work());
    await settled();
    controller.abort('enough');
    expect(await waiting).toBe('enough');
    await settled();
    expect(seen).toEqual(['begun', 'enough']);
    expect(far.events.disconnected).toEqual([]);
  });

  test('before it has left is not performed', async () => {
    const { seen, work, controller, remote } = made();
    const waiting = rejection(work());
    controller.abort('never mind');
    expect(await waiting).toBe('never mind');
    await settled();
    expect(seen).toEqual([]);
    remote.work();
    await settled();
    expect(seen).toEqual(['unbounded']);
  });

  test('while it waits for its arguments is not performed', async () => {
    const { seen, work, controller, remote, open } = made();
    const waiting = rejection(work(remote.gate()));
    await settled();
    controller.abort('too late');
    expect(await waiting).toBe('too late');
    open(1);
    await settled();
    expect(seen).toEqual([]);
  });

  test('can be given up over there, however many calls leave before their turn ends', async () => {
    const { near, remote } = pair({ never: () => new Promise(() => {}) });
    const bounded = withOptions(remote.never, { signal: new AbortController().signal });
    for (let i = 0; i < 1_000; i++) void bounded().then(() => {});
    await settled();
    const calls = near.link.sent.filter(({ kind }) => kind === 'call');
    expect(near.link.sends).toBeGreaterThan(1);
    expect(calls.filter(({ flags }) => flags & CANCELLABLE)).toHaveLength(1_000);
  });
});

import { afterEach, describe, expect, test, vi } from 'vitest';
import { Keys, newPass, type Pass } from '../../lib/ticket/keys.ts';

afterEach(() => {
  vi.useRealTimers();
});

const open = (keys: Keys<string>, { id, key }: Pass) => keys.open(id, Buffer.from(key, 'base64url'));

describe('a key', () => {
  test('opens what it was issued for, as often as it is used', () => {
    const keys = new Keys<string>();
    const pass = keys.issue('a', {});
    expect([open(keys, pass), open(keys, pass)]).toEqual([{ value: 'a' }, { value: 'a' }]);
    expect(Buffer.from(pass.key, 'base64url')).toHaveLength(32);
  });

  test('for one use says that it was used', () => {
    const keys = new Keys<string>();
    const pass = keys.issue('a', { once: true });
    expect(open(keys, pass)).toEqual({ value: 'a' });
    expect(open(keys, pass)).toBe('used');
    expect(keys.size).toBe(0);
  });

  test.each([
    ['in so many milliseconds', (): number => 1_000],
    ['at a time', (): Date => new Date(Date.now() + 1_000)],
  ])('that ends %s says that it has expired', (_title, expires) => {
    vi.useFakeTimers();
    const keys = new Keys<string>();
    const pass = keys.issue('a', { expires: expires() });
    vi.advanceTimersByTime(900);
    expect(open(keys, pass)).toEqual({ value: 'a' });
    vi.advanceTimersByTime(200);
    expect(keys.size).toBe(0);
    expect(open(keys, pass)).toBe('expired');
  });

  test('expires by the clock although its timer is late', () => {
    vi.useFakeTimers();
    const keys = new Keys<string>();
    const pass = keys.issue('a', { expires: 1_000 });
    vi.setSystemTime(Date.now() + 5_000);
    expect(open(keys, pass)).toBe('expired');
  });

  test('that was retracted is gone, once', () => {
    const keys = new Keys<string>();
    const pass = keys.issue('a', {});
    expect([keys.retract(pass.id), keys.retract(pass.id), keys.retract('unknown')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(open(keys, pass)).toBe('gone');
  });

  test('that nobody has issued is forged, also under the id of one that was used', () => {
    const keys = new Keys<string>();
    const pass = keys.issue('a', { once: true });
    const { key } = newPass();
    expect(open(keys, newPass())).toBe('forged');
    expect(open(keys, { ...pass, key })).toBe('forged');
    open(keys, pass);
    expect(open(keys, { ...pass, key })).toBe('forged');
  });

  test('that is over is forgotten in time, so that a million of them take no room', () => {
    const keys = new Keys<string>();
    const first = keys.issue('a', { once: true });
    open(keys, first);
    for (let n = 0; n < 1_000; n++) open(keys, keys.issue('b', { once: true }));
    expect(open(keys, first)).toBe('forged');
    expect(keys.size).toBe(0);
  });
});

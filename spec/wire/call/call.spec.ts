import { describe, expect, test } from 'vitest';
import { Call } from '../../../lib/wire/call/call.ts';
import type { Calls } from '../../../lib/wire/reference/handle.ts';
import { rejection, settled } from '../pair.ts';

const make = (number: number) => new Call({} as Calls, number, 0);

describe('a call', () => {
  test('gives its result to whoever waits for it, before or after it came', async () => {
    const call = make(1);
    const early = call.result;
    call.resolve('result');
    expect(call.settled).toBe(true);
    expect(await early).toBe('result');
    expect(call.result).toBe(early);

    const late = make(2);
    late.resolve('result');
    expect(await late.result).toBe('result');
  });

  test('that fails while nobody waits rejects nothing, but whoever asks later gets the error', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const call = make(1);
      const cause = new Error('late');
      call.reject(cause);
      await settled();
      expect(unhandled).toEqual([]);
      expect(await rejection(call.result)).toBe(cause);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('makes its error where those who await it are known', async () => {
    const call = make(1);
    const { result } = call;
    const makesTheCall = async () => await result;
    const failed = rejection(makesTheCall());
    call.rejectAsCaller(() => new Error('m'));
    expect(call.settled).toBe(true);
    expect((await failed).stack).toMatch(/makesTheCall/);
  });
});

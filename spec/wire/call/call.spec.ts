import { describe, expect, test } from 'vitest';
import { Call } from '../../../lib/wire/call/call.ts';
import { rejection, settled } from '../pair.ts';

describe('a call', () => {
  test('gives its result to whoever waits for it, before or after it came', async () => {
    const call = new Call(1, 0);
    const early = call.promise;
    call.resolve('result');
    expect(call.settled).toBe(true);
    expect(await early).toBe('result');
    expect(call.promise).toBe(early);

    const late = new Call(2, 0);
    late.resolve('result');
    expect(await late.promise).toBe('result');
  });

  test('that fails while nobody waits rejects nothing, but whoever asks later gets the error', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const call = new Call(1, 0);
      const cause = new Error('late');
      call.reject(cause);
      await settled();
      expect(unhandled).toEqual([]);
      expect(await rejection(call.promise)).toBe(cause);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('notes where its caller stood', () => {
    const makeTheCall = () => new Call(1, 0);
    expect(makeTheCall().caller.stack).toMatch(/makeTheCall/);
  });
});

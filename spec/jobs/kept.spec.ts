import { describe, expect, test } from 'vitest';
import { KeptOutcomes } from '../../lib/jobs/kept.ts';
import { readBack, writeArguments, writeDown } from '../../lib/jobs/written.ts';
import { UnserializableError } from '../../lib/wire/errors.ts';

describe('outcomes that a site keeps', () => {
  const cancel = () => {};

  test('are there until they are forgotten, and a job runs once under its id', async () => {
    const kept = new KeptOutcomes();
    kept.begin('a', cancel);
    expect(() => kept.begin('a', cancel)).toThrow(/has begun in this site before/);
    const waited = kept.outcome('a');
    const ended = kept.end('a', { value: 1 });
    expect(ended).toMatchObject({ ok: true });
    expect(readBack(ended.value)).toBe(1);
    expect(await waited).toBe(ended);
    expect(await kept.outcome('a')).toBe(ended);
    expect(() => kept.begin('a', cancel)).toThrow(/has begun in this site before/);
    kept.forget(['a']);
    expect(kept.outcome('a')).toBeUndefined();
  });

  test('are what was thrown too, and what can not be written', () => {
    const kept = new KeptOutcomes();
    const endOf = (id: string, outcome: Parameters<typeof kept.end>[1]) => {
      kept.begin(id, cancel);
      const { ok, value } = kept.end(id, outcome);
      expect(ok).toBe(false);
      return readBack(value);
    };
    expect(endOf('a', { error: new RangeError('no') })).toBeInstanceOf(RangeError);
    expect(endOf('b', { value: { on: () => 1 } })).toBeInstanceOf(UnserializableError);
    expect(endOf('c', { error: () => 1 })).toBeInstanceOf(Error);
  });

  test('say what runs, and do not let begin what was claimed for elsewhere', () => {
    const kept = new KeptOutcomes();
    const reasons: unknown[] = [];
    kept.begin('a', (reason) => void reasons.push(reason));
    kept.begin('b', cancel);
    kept.end('b', { value: 1 });
    const states = kept.claim(['a', 'b', 'c']);
    expect(states).toEqual([expect.any(Number), 'ended', undefined]);
    expect(() => kept.begin('c', cancel)).toThrow(/belongs to another client/);
    kept.cancel('a', 'enough');
    kept.cancel('b', 'enough');
    expect(reasons).toEqual(['enough']);
    kept.end('a', { value: 5 });
    expect(kept.claim(['a'])).toEqual(['ended']);
  });
});

describe('what is written down', () => {
  test('is the same again from its bytes alone, whatever it is', () => {
    const value = [
      1,
      { at: new Date(5), map: new Map([['a', new Float64Array([1.5])]]), big: 2n ** 70n },
      undefined,
    ];
    const bytes = writeArguments(value);
    expect(readBack(Buffer.from(bytes))).toEqual(value);
    const large = new Uint8Array(3 * 2 ** 20).fill(7);
    const again = readBack(writeDown({ large }, 'value')) as { large: Uint8Array };
    expect(Buffer.compare(again.large, large)).toBe(0);
    expect(readBack(bytes)).toEqual(value);
  });

  test('is refused with the path of what lives', () => {
    const refused = (value: unknown) => {
      try {
        writeDown(value, 'value');
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(refused({ rows: [{ on: () => 1 }] })).toMatchObject({ path: 'value.rows[0].on' });
    expect(refused([new AbortController().signal])).toMatchObject({ path: 'value[0]' });
    expect(refused({ a: new ReadableStream() })).toMatchObject({ path: 'value.a' });
    expect(refused({ a: new SharedArrayBuffer(8) })).toMatchObject({ path: 'value.a' });
  });
});

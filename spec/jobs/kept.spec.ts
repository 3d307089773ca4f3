import { describe, expect, test } from 'vitest';
import { KeptOutcomes } from '../../lib/jobs/kept.ts';
import { readBack, writeArguments, writeDown } from '../../lib/jobs/written.ts';
import { UnserializableError } from '../../lib/wire/errors.ts';
import { rejection } from '../support/sites.ts';

describe('outcomes that a site keeps', () => {
  test('are there until they are forgotten, and a job runs once under its id', async () => {
    const kept = new KeptOutcomes();
    let runs = 0;
    const work = () => ++runs;
    const [first, second] = await Promise.all([kept.run('a', work), kept.run('a', work)]);
    expect(second).toBe(first);
    expect(first).toMatchObject({ id: 'a', ok: true });
    expect(readBack(first.value)).toBe(1);
    expect(await kept.run('a', work)).toBe(first);
    expect(runs).toBe(1);
    expect(await kept.outcome('a')).toBe(first);
    kept.forget(['a']);
    expect(kept.outcome('a')).toBeUndefined();
  });

  test('are what was thrown too, and what can not be written', async () => {
    const kept = new KeptOutcomes();
    const failed = await kept.run('a', () => {
      throw new RangeError('no');
    });
    expect(failed.ok).toBe(false);
    expect(readBack(failed.value)).toBeInstanceOf(RangeError);
    const unwritten = await kept.run('b', () => ({ on: () => 1 }));
    expect(unwritten.ok).toBe(false);
    expect(readBack(unwritten.value)).toBeInstanceOf(UnserializableError);
    const odd = await kept.run('c', () => {
      throw () => 1;
    });
    expect(readBack(odd.value)).toBeInstanceOf(Error);
  });

  test('say what runs, and do not let begin what was claimed for elsewhere', async () => {
    const kept = new KeptOutcomes();
    let end!: (value: number) => void;
    const running = kept.run('a', () => new Promise<number>((resolve) => (end = resolve)));
    await kept.run('b', () => 1);
    expect(kept.claim(['a', 'b', 'c'])).toEqual(['running', 'ended', undefined]);
    expect(await rejection(kept.run('c', () => 1))).toMatchObject({ message: /belongs to another client/ });
    end(5);
    expect(readBack((await running).value)).toBe(5);
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

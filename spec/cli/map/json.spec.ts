import { describe, expect, it } from 'vitest';
import { errorLine, jsonLine } from '../../../lib/cli/map/json.ts';
import { SiteCrashedError } from '../../../lib/wire/errors.ts';

describe('jsonLine', () => {
  it.each<[string, unknown, unknown]>([
    ['undefined', undefined, null],
    ['a string', 'a\nb', 'a\nb'],
    ['a bigint', { n: 2n ** 70n }, { n: '1180591620717411303424' }],
    ['a map', new Map([['a', new Set([1])]]), [['a', [1]]]],
    ['a date', [new Date(0)], ['1970-01-01T00:00:00.000Z']],
    ['a buffer', { b: Buffer.from('hi') }, { b: 'aGk=' }],
    ['bytes that are a view', new Uint8Array([0, 104, 105]).subarray(1), 'aGk='],
    ['floats', new Float64Array([1.5, 2]), [1.5, 2]],
    ['an error', new RangeError('too far'), { name: 'RangeError', message: 'too far' }],
    ['an undefined property', { a: undefined, b: 1 }, { b: 1 }],
    ['an undefined element', [undefined, 1], [null, 1]],
  ])('prints %s', (_what, value, expected) => {
    const line = jsonLine(value);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual(expected);
  });

  it('refuses a function and a cycle', () => {
    expect(() => jsonLine({ f: () => 1 })).toThrow(TypeError);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => jsonLine(cycle)).toThrow(TypeError);
  });
});

describe('errorLine', () => {
  it('tells name, message, code, the input, and whether a lost call may have run', () => {
    const crash = new SiteCrashedError('It died.', { exitCode: null, signal: 'SIGKILL', stderr: [] }, true);
    expect(JSON.parse(errorLine(crash, 'x\ty'))).toEqual({
      error: { name: 'SiteCrashedError', message: 'It died.', code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true },
      input: 'x\ty',
    });
  });

  it('copes with everything that can be thrown', () => {
    for (const thrown of ['text', 7, null, undefined, { a: 1 }, Symbol('s')]) {
      expect(JSON.parse(errorLine(thrown, '')).error.name).toBe('Error');
    }
  });
});

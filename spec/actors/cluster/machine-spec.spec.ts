import { describe, expect, test } from 'vitest';
import { formatMachine, parseMachine, parseMachines } from '../../../actors/cluster/machine-spec.ts';
import { OptionError } from '../../../lib/index.ts';

describe('a machine', () => {
  test.each([
    ['bamse', { host: 'bamse', bind: undefined, count: 1 }],
    ['ada@bamse', { host: 'ada@bamse', bind: undefined, count: 1 }],
    ['ada@bamse:2222', { host: 'ada@bamse:2222', bind: undefined, count: 1 }],
    ['ada@bamse:2222 10.0.0.7', { host: 'ada@bamse:2222', bind: '10.0.0.7', count: 1 }],
    ['ada@bamse:2222 10.0.0.7:9000', { host: 'ada@bamse:2222', bind: '10.0.0.7:9000', count: 1 }],
    ['[::1]', { host: '[::1]', bind: undefined, count: 1 }],
    ['ada@[fe80::1]:1 [::]:65535', { host: 'ada@[fe80::1]:1', bind: '[::]:65535', count: 1 }],
    ['::1', { host: '[::1]', bind: undefined, count: 1 }],
    ['3*bamse', { host: 'bamse', bind: undefined, count: 3 }],
    [' auto*ada@bamse ', { host: 'ada@bamse', bind: undefined, count: 'auto' }],
  ])('is read from "%s" (behaviours 142 and 143)', (text, machine) => {
    expect(parseMachine(text)).toEqual(machine);
  });

  test.each([
    ['bamse:0', /port 0 is not from 1 to 65535/],
    ['bamse:-1', /port -1 is not from 1 to 65535/],
    ['bamse:65536', /port 65536 is not/],
    ['[::1]:65536', /port 65536 is not/],
    ['bamse:1:2', /"1:2" is no port/],
    ['bamse:ssh', /"ssh" is no port/],
    ['[::1', /a bracket is missing/],
    ['::1]:22', /a bracket is missing/],
    ['[bamse]', /no IPv6 address/],
    ['bamse 10.0.0.7:0', /port 0 is not/],
    ['bamse ada@10.0.0.7', /has no user/],
    ['bamse 10.0.0.7 more', /"more" is too much/],
    ['', /names no host/],
    ['-oProxyCommand=x', /names no host/],
    ['0*bamse', /0 workers/],
    ['1.5*bamse', /1.5 workers/],
    ['many*bamse', /NaN workers/],
    ['*bamse', /NaN workers/],
  ])('is refused as "%s" (behaviour 143)', (text, why) => {
    expect(() => parseMachine(text)).toThrow(OptionError);
    expect(() => parseMachine(text)).toThrow(why);
  });

  test('that is named more than once gets all the workers, and auto swallows numbers', () => {
    expect(parseMachines(['bamse', ['bamse', 2], '4*bamse', 'blue', ['blue', 'auto'], 'blue'])).toEqual([
      { host: 'bamse', bind: undefined, count: 7 },
      { host: 'blue', bind: undefined, count: 'auto' },
    ]);
    expect(() => parseMachines([['bamse', 0]])).toThrow(/0 workers/);
    expect(() => parseMachines([['bamse', -1]])).toThrow(OptionError);
  });

  test('is written as it is read', () => {
    for (const text of ['bamse', '3*ada@bamse:22 10.0.0.7', 'auto*[::1]'])
      expect(formatMachine(parseMachine(text))).toBe(text);
  });
});

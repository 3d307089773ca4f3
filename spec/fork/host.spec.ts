import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isThisHost, parseHost } from '../../lib/fork/host.ts';
import { OptionError } from '../../lib/wire/errors.ts';

describe('a host as it is written', () => {
  test.each<[string, [string | undefined, string, number | undefined]]>([
    ['bamse', [undefined, 'bamse', undefined]],
    ['bamse:2222', [undefined, 'bamse', 2222]],
    ['ada@bamse', ['ada', 'bamse', undefined]],
    ['ada@bamse:2222', ['ada', 'bamse', 2222]],
    ['ada.l-1@node-3.cluster.example.org:65535', ['ada.l-1', 'node-3.cluster.example.org', 65_535]],
    ['127.0.0.1:22', [undefined, '127.0.0.1', 22]],
    ['::1', [undefined, '::1', undefined]],
    ['ada@fe80::1', ['ada', 'fe80::1', undefined]],
    ['[::1]', [undefined, '::1', undefined]],
    ['[::1]:22', [undefined, '::1', 22]],
    ['ada@[fe80::1%eth0]:22', ['ada', 'fe80::1%eth0', 22]],
  ])('%s is read', (text, [user, host, port]) => {
    expect(parseHost(text)).toEqual({ user, host, port });
  });

  test.each([
    '',
    ' ',
    'two words',
    'ada@',
    '@bamse',
    'ada@@bamse',
    'bamse:',
    'bamse:ssh',
    'bamse:-1',
    'bamse:65536',
    'bamse:22:22x',
    '[::1',
    '[::1]x',
    '-oProxyCommand=touch /tmp/x',
    '-v',
    'ada@-v',
    '-v@bamse',
    'bamse\n-v',
  ])('%j is refused, with the name of the option', (text) => {
    expect(() => parseHost(text)).toThrow(OptionError);
    expect(() => parseHost(text)).toThrow(expect.objectContaining({ option: 'host' }));
  });
});

describe('this host', () => {
  test.each(['localhost', 'LocalHost', '127.0.0.1', '::1', hostname(), hostname().toUpperCase()])(
    'is %s',
    (host) => {
      expect(isThisHost(host)).toBe(true);
    },
  );

  test.each(['bamse', 'localhost.example.org', '127.0.0.2', '::2', ''])('is not %j', (host) => {
    expect(isThisHost(host)).toBe(false);
  });
});

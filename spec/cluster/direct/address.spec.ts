import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  checkAddress,
  chooseAddress,
  type Interfaces,
  isWildcard,
  parseBind,
  written,
} from '../../../lib/cluster/direct/address.ts';
import { OptionError } from '../../../lib/wire/errors.ts';

const info = (address: string, internal = false): NetworkInterfaceInfo => {
  const rest = { netmask: '', mac: '', internal, cidr: null, address };
  return address.includes(':') ? { ...rest, family: 'IPv6', scopeid: 0 } : { ...rest, family: 'IPv4' };
};
const lo = [info('127.0.0.1', true), info('::1', true)];
const docker0 = [info('172.17.0.1')];

describe('what a door is bound to', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1', 0],
    ['127.0.0.1:9000', '127.0.0.1', 9000],
    ['bamse:65535', 'bamse', 65535],
    ['[::1]', '::1', 0],
    ['[::]:80', '::', 80],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
  ])('%s is read', (bind, host, port) => {
    expect(parseBind(bind)).toEqual({ host, port });
  });

  test.each([
    '',
    ':80',
    '::1',
    '[bamse]',
    '[::1',
    'bamse:',
    'bamse:65536',
    'bamse:-1',
    'bamse:x',
    'a b',
    '[]:1',
  ])('%j is refused with what it may be', (bind) => {
    expect(() => parseBind(bind)).toThrow(OptionError);
    expect(() => parseBind(bind)).toThrow(/host\[:port\]/);
  });

  test('is written as it is read', () => {
    for (const bind of ['127.0.0.1:9000', '[::1]:80', 'bamse:1']) expect(written(parseBind(bind))).toBe(bind);
  });

  test('may stand for all addresses', () => {
    for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) expect(isWildcard(host)).toBe(true);
    for (const host of ['127.0.0.1', '::1', '10.0.0.0']) expect(isWildcard(host)).toBe(false);
  });

  test.each([
    ['', 1],
    ['bamse', 0],
    ['bamse', 65_536],
    ['bamse', 1.5],
    ['bamse', Number.NaN],
  ])('host %j and port %d can not be dialled', (host, port) => {
    expect(() => checkAddress({ host, port })).toThrow(OptionError);
  });
});

describe('the address that others are told of a door on all addresses', () => {
  test.each<[string, Interfaces, string]>([
    ['IPv4 before IPv6', { lo, eth0: [info('2001:db8::1'), info('192.0.2.1')] }, '192.0.2.1'],
    ['the first of equals', { lo, eth0: [info('192.0.2.1')], eth1: [info('192.0.2.2')] }, '192.0.2.1'],
    ['IPv6 before link-local IPv4', { lo, eth0: [info('169.254.1.1'), info('2001:db8::1')] }, '2001:db8::1'],
    ['link-local IPv4 before IPv6', { lo, eth0: [info('fe80::1'), info('169.254.1.1')] }, '169.254.1.1'],
    ['link-local IPv6 if there is no other', { lo, eth0: [info('fe80::1')] }, 'fe80::1'],
    ['any other before a bridge', { lo, docker0, eth0: [info('fe80::1')] }, 'fe80::1'],
    ['a bridge before the loopback', { lo, docker0 }, '172.17.0.1'],
    ['the loopback without a network', { lo }, '::1'],
    ['an interface that has none', { lo, eth0: undefined, eth1: [info('192.0.2.1')] }, '192.0.2.1'],
  ])('is %s', (_what, interfaces, address) => {
    expect(chooseAddress('::', interfaces)).toBe(address);
  });

  test.each(['docker0', 'br-1f3a', 'virbr0', 'veth12', 'cni0', 'podman1', 'lxdbr0', 'vboxnet0'])(
    'is not that of %s if there is another',
    (name) => {
      expect(chooseAddress('0.0.0.0', { [name]: docker0, wlan0: [info('192.0.2.1')] })).toBe('192.0.2.1');
    },
  );

  test('is IPv4 if it listens on IPv4', () => {
    expect(chooseAddress('0.0.0.0', { lo, eth0: [info('2001:db8::1')] })).toBe('127.0.0.1');
    expect(chooseAddress('0.0.0.0', { eth0: [info('2001:db8::1')], eth1: [info('169.254.1.1')] })).toBe(
      '169.254.1.1',
    );
  });
});

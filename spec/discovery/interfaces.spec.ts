import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { lanInterfaces } from '../../lib/discovery/interfaces.ts';

const info = (cidr: string, more: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo =>
  ({
    address: cidr.split('/')[0]!,
    cidr,
    family: cidr.includes(':') ? 'IPv6' : 'IPv4',
    internal: false,
    mac: '02:00:00:00:00:01',
    netmask: '',
    ...more,
  }) as NetworkInterfaceInfo;

const HOST = {
  lo: [info('127.0.0.1/8', { internal: true }), info('::1/128', { internal: true })],
  eth0: [info('192.168.7.5/24'), info('fd00::5/64'), info('fe80::5/64')],
  wlan0: [info('10.1.2.3/16')],
  six: [info('fd01::5/64'), info('fe80::6/64')],
  tun0: [info('10.9.0.6/32')],
};

describe('the interfaces on which nodes are looked for', () => {
  it('are all that are up and not loopback', () => {
    const found = lanInterfaces(undefined, HOST);
    expect(found.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'eth0 192.168.7.5',
      'wlan0 10.1.2.3',
      'six fe80::6',
      'tun0 10.9.0.6',
    ]);
  });

  it('are those that are named, by a name or any address, loopback too', () => {
    const names = (...wish: string[]) => lanInterfaces(wish, HOST).map(({ name }) => name);
    expect(names('lo')).toEqual(['lo']);
    expect(names('fd00::5', 'wlan0')).toEqual(['eth0', 'wlan0']);
    expect(names('eth9')).toEqual([]);
  });

  it('know what comes from their own networks', () => {
    const [eth0, , six, tun0] = lanInterfaces(undefined, HOST);
    const heard = (from: string) => [eth0, six, tun0].map((at) => at!.reaches(from));
    expect(heard('192.168.7.200')).toEqual([true, false, true]);
    expect(heard('192.168.8.1')).toEqual([false, false, true]);
    expect(heard('fe80::9%eth0')).toEqual([true, false, false]);
    expect(heard('fe80::9%six')).toEqual([false, true, false]);
  });
});

import { describe, expect, test } from 'vitest';
import { outwardAddress, siteOptionsOf } from '../../../actors/cluster/add-procs-options.ts';
import { managerOf } from '../../../actors/cluster/manager-of.ts';
import { LocalManager, OptionError, SSHManager } from '../../../lib/index.ts';

describe('the options of addProcs', () => {
  test('become those of a site', () => {
    expect(
      siteOptionsOf({
        dir: '/tmp',
        env: { A: '1' },
        exename: ['nice', '-n', '10', 'node'],
        exeflags: '--no-warnings',
        timeout: 5_000,
        stdout: 'ignore',
        lazy: false,
      }),
    ).toEqual({
      cwd: '/tmp',
      env: { A: '1' },
      nodePath: 'nice',
      execArgv: ['-n', '10', 'node', '--no-warnings'],
      timeout: 5_000,
      stdout: 'ignore',
    });
    expect(siteOptionsOf({ exename: '/opt/node', exeflags: ['--a', '--b'] })).toEqual({
      nodePath: '/opt/node',
      execArgv: ['--a', '--b'],
    });
  });

  test('are refused if nobody knows them, or not for what is added (behaviour 17)', () => {
    expect(() => managerOf(1, { exeflag: '' } as never)).toThrow(OptionError);
    expect(() => managerOf(1, { exeflag: '' } as never)).toThrow(
      /no option "exeflag" for workers on this host/,
    );
    expect(() => managerOf(1, { tunnel: true })).toThrow(/no option "tunnel"/);
    expect(() => managerOf(['bamse'], { restrict: false })).toThrow(
      /no option "restrict" for workers by ssh/,
    );
    expect(() => managerOf(new LocalManager(1), { fork: 'sh' })).toThrow(/no option "fork"/);
    expect(() => managerOf(1, { timeout: 0 })).toThrow(/timeout/);
    expect(() => managerOf(['bamse'], { maxParallel: 0 })).toThrow(/maxParallel/);
    expect(() => managerOf(1, { topology: 'ring' as never })).toThrow(/all_to_all/);
  });

  test('go with a number, machines, or a manager', () => {
    expect(managerOf('auto').manager).toBeInstanceOf(LocalManager);
    expect(managerOf(['bamse', ['blue', 2]]).manager).toBeInstanceOf(SSHManager);
    const manager = new LocalManager(2);
    const { manager: same, defaults } = managerOf(manager, { dir: '/tmp' });
    expect(same).toBe(manager);
    expect(defaults).toEqual({ cwd: '/tmp' });
    expect(() => managerOf(0)).toThrow(OptionError);
    expect(() => managerOf([])).toThrow(/No machine/);
    expect(() => managerOf({} as never)).toThrow(/give a number/);
  });
});

describe('the address of this host for others', () => {
  const address = (text: string, internal = false) =>
    ({ address: text, family: text.includes(':') ? 'IPv6' : 'IPv4', internal }) as never;

  test('is IPv4 before IPv6, and link-local ones last', () => {
    const all = { lo: [address('127.0.0.1', true)], a: [address('fe80::1'), address('169.254.0.1')] };
    expect(outwardAddress({ ...all, b: [address('2001::1'), address('10.0.0.7')] })).toBe('10.0.0.7');
    expect(outwardAddress({ ...all, b: [address('2001::1')] })).toBe('[2001::1]');
    expect(outwardAddress(all)).toBe('169.254.0.1');
    expect(outwardAddress({ lo: all.lo })).toBe('127.0.0.1');
  });
});

import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { forkOf } from '../../lib/fork/automatic.ts';
import type { ForkRequest } from '../../lib/fork/fork-method.ts';
import { sh } from '../../lib/fork/sh.ts';
import { ssh } from '../../lib/fork/ssh.ts';
import { virtual, virtualSites } from '../../lib/fork/virtual.ts';

const before = process.env.OFFSITE_FORK;
beforeEach(() => {
  delete process.env.OFFSITE_FORK;
});
afterEach(() => {
  if (before === undefined) delete process.env.OFFSITE_FORK;
  else process.env.OFFSITE_FORK = before;
});

const needs = { host: 'localhost', detach: false, ownFolder: false };

const request = (more: Partial<ForkRequest> = {}): ForkRequest => ({
  host: 'bamse',
  name: 'bamse',
  detach: false,
  execArgv: [],
  engine: 'travel',
  sshOptions: [],
  timeout: 5_000,
  unreachableTimeout: 60_000,
  signal: new AbortController().signal,
  onLine: () => {},
  ...more,
});

describe('the fork method that is chosen', () => {
  test.each(['localhost', '127.0.0.1', '::1', '[::1]', hostname()])(
    'is a virtual site on this host, as %s',
    (host) => {
      expect(virtualSites).toBe(true);
      expect(forkOf('automatic', { ...needs, host })).toBe(virtual);
    },
  );

  test('is sh on this host for what a thread can not do: outlive us, or work elsewhere', () => {
    expect(forkOf('automatic', { ...needs, detach: true })).toBe(sh);
    expect(forkOf('automatic', { ...needs, ownFolder: true })).toBe(sh);
  });

  test.each(['bamse', 'ada@bamse:2222', '10.0.0.9'])('is ssh for another host: %s', (host) => {
    expect(forkOf('automatic', { ...needs, host })).toBe(ssh);
    expect(forkOf('automatic', { ...needs, host, detach: true, ownFolder: true })).toBe(ssh);
  });

  test('is what OFFSITE_FORK says for another host, and is not changed by it for this one', () => {
    process.env.OFFSITE_FORK = 'sh';
    expect(forkOf('automatic', { ...needs, host: 'bamse' })).toBe(sh);
    expect(forkOf('automatic', needs)).toBe(virtual);
    process.env.OFFSITE_FORK = 'ssh';
    expect(forkOf('automatic', { ...needs, host: 'bamse' })).toBe(ssh);
  });

  test('is the one that was named, whatever the host and OFFSITE_FORK are', () => {
    process.env.OFFSITE_FORK = 'there-is-no-such-command';
    for (const host of ['localhost', 'bamse']) {
      expect(forkOf('virtual', { ...needs, host })).toBe(virtual);
      expect(forkOf('sh', { ...needs, host })).toBe(sh);
      expect(forkOf('ssh', { ...needs, host })).toBe(ssh);
    }
  });

  test('is a command for any other word, which is run with the host', async () => {
    for (const fork of [
      forkOf('there-is-no-such-command', needs),
      forkOf(['there-is-no-such-command', '{host}'], needs),
    ]) {
      await expect(fork(request())).rejects.toMatchObject({
        code: 'ERR_OFFSITE_FORK',
        step: 'command',
        message: expect.stringContaining('there-is-no-such-command'),
      });
    }
  });

  test('is a command when OFFSITE_FORK names one', async () => {
    process.env.OFFSITE_FORK = 'there-is-no-such-command';
    const fork = forkOf('automatic', { ...needs, host: 'bamse' });
    await expect(fork(request())).rejects.toMatchObject({ step: 'command' });
  });
});

describe('a fork method refuses what it can not do', () => {
  test.each<[string, Partial<ForkRequest>, string]>([
    ['virtual', { host: 'bamse' }, 'fork'],
    ['virtual', { host: 'localhost', detach: true }, 'detach'],
    ['virtual', { host: 'localhost', cwd: '/there/is/none' }, 'cwd'],
    ['sh', { host: 'bamse' }, 'fork'],
  ])('%s with %j names the option %s', async (method, more, option) => {
    await expect(forkOf(method, needs)(request(more))).rejects.toMatchObject({
      code: 'ERR_OFFSITE_OPTION',
      option,
    });
  });

  test('an array without a command names the option fork', async () => {
    await expect(forkOf([''], needs)(request())).rejects.toMatchObject({ option: 'fork' });
  });
});

test.each(['ada@localhost', 'localhost:2222'])('%s means a login, so automatic takes ssh', (host) => {
  expect(forkOf('automatic', { host, detach: false, ownFolder: false })).toBe(ssh);
});

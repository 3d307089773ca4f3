import { afterEach, describe, expect, test, vi } from 'vitest';
import { RemoteManager } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';

afterEach(() => vi.unstubAllEnvs());

describe('ssh', () => {
  test.each([
    [60_000, 5],
    [1, 2],
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
  ])('does not give a silent host up before %d ms are over', async (unreachableTimeout, count) => {
    // Prints what it is started with instead of logging in.
    vi.stubEnv('OFFSITE_SSH', 'sh -c \'echo "$*" >&2; exit 1\'');
    const lines: string[] = [];
    const stderr = (line: string) => void lines.push(line);
    const site = new RemoteManager({ host: 'bamse', fork: 'ssh', unreachableTimeout, stderr });
    await rejection(site.ready);
    expect(lines.join(' ')).toContain(`-o ServerAliveInterval=15 -o ServerAliveCountMax=${count} `);
  });
});

import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { isReachable, mayCall, type WayEnd } from '../../../actors/cluster/topology.ts';

const end = (host: string, more: Partial<WayEnd['config']> = {}, fork = 'ssh'): WayEnd => ({
  config: { site: {}, ...more },
  site: { fork, host },
});

describe('Who may call whom', () => {
  const hub = { site: {}, ident: 'hub' };
  const spoke = { site: {}, ident: 1, connectIdents: ['hub'] };
  const other = { site: {}, ident: 2, connectIdents: ['hub'] };

  test('In all_to_all everybody may call everybody, in master_worker no worker another', () => {
    expect(mayCall('all_to_all', spoke, other)).toBe(true);
    expect(mayCall('master_worker', spoke, hub)).toBe(false);
  });

  test('In custom two may call each other of whom one names the other', () => {
    expect(mayCall('custom', spoke, hub)).toBe(true);
    expect(mayCall('custom', hub, spoke)).toBe(true);
    expect(mayCall('custom', spoke, other)).toBe(false);
    expect(mayCall('custom', { site: {} }, { site: {} })).toBe(false);
  });
});

describe('Who is connected directly, and not through process 1', () => {
  test.each<[title: string, from: WayEnd, to: WayEnd, direct: boolean]>([
    ['two processes on one host', end('bamse'), end('ada@BAMSE:2222'), true],
    ['two on this host under different names', end('localhost'), end(hostname(), {}, 'sh'), true],
    ['two on different hosts, whose doors are on the loopback address', end('bamse'), end('skalman'), false],
    ['one that is told where to listen', end('bamse'), end('skalman', { bind: '0.0.0.0' }), true],
    ['one that listens calls one that does not', end('skalman', { bind: '0.0.0.0' }), end('bamse'), false],
    ['one behind a tunnel', end('bamse', { tunnel: true }), end('bamse'), false],
    ['one to another behind a tunnel', end('bamse'), end('bamse', { tunnel: true, bind: '::' }), false],
    ['threads, whose process is between anyway', end('localhost', {}, 'virtual'), end('localhost'), false],
  ])('%s', (_title, from, to, direct) => {
    expect(isReachable(from, to)).toBe(direct);
  });
});

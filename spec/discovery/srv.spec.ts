import { describe, expect, it } from 'vitest';
import { findNodes } from '../../lib/discovery/find.ts';
import { srvClasses } from '../../lib/discovery/srv.ts';
import { type DnsRecord, srv, startDns } from './dns-server.ts';
import { askName, freePort, startNamed } from './nodes.ts';

const NAME = '_offsite._tcp.example.org';

describe('SRV records', () => {
  it('are put in order by priority, and by chance as their weights want it', () => {
    const records = [
      { name: 'late', port: 1, priority: 20, weight: 0 },
      { name: 'rare', port: 1, priority: 10, weight: 1 },
      { name: 'often', port: 1, priority: 10, weight: 9 },
    ];
    const first = { rare: 0, often: 0 };
    // A generator of its own, so that each run draws the same: Park and Miller's.
    let seed = 20_26;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let run = 0; run < 1_000; run += 1) {
      const [one, two, ...rest] = srvClasses(records, random);
      expect(two!.map(({ name }) => name)).toEqual(['late']);
      expect(rest).toEqual([]);
      expect(one!.map(({ name }) => name).sort()).toEqual(['often', 'rare']);
      first[one![0]!.name as 'rare' | 'often'] += 1;
    }
    expect(first.often).toBeGreaterThan(700);
    expect(first.rare).toBeGreaterThan(50);
  });

  it('with the target . alone say that there is no such service', () => {
    expect(srvClasses([{ name: '', port: 0, priority: 0, weight: 0 }])).toEqual([]);
  });
});

describe('a search by SRV records', () => {
  it('asks a DNS server, and finds all nodes of the first priority by the addresses that it gives', async () => {
    const one = await startNamed('one');
    const two = await startNamed('two');
    const late = await startNamed('late');
    const dns = await startDns([
      srv(NAME, 'one.example.org', one.address.port, 1),
      srv(NAME, 'two.example.org', two.address.port, 1),
      srv(NAME, 'late.example.org', late.address.port, 2),
      ...['one', 'two', 'late'].map(
        (name): DnsRecord => ({ name: `${name}.example.org`, type: 'A', data: '127.0.0.1' }),
      ),
    ]);
    try {
      const search = await findNodes(['srv:example.org'], { probe: askName, resolver: dns.resolver });
      expect(search.nodes.map(({ name }) => name).sort()).toEqual(['one', 'two']);
      expect(search.nodes[0]).toMatchObject({ by: 'srv', address: { host: '127.0.0.1' } });
      expect(dns.asked).not.toContain('A late.example.org');
    } finally {
      await Promise.all([one, two, late, dns].map((part) => part.close()));
    }
  });

  it('goes on to the next priority when no node of the first answers, and says why', async () => {
    const late = await startNamed('late');
    const nobody = await freePort();
    const dns = await startDns([
      srv(NAME, '127.0.0.1', nobody, 1),
      srv(NAME, '127.0.0.1', late.address.port, 2),
    ]);
    try {
      const search = await findNodes(['srv:example.org'], { probe: askName, resolver: dns.resolver });
      expect(search.nodes.map(({ name }) => name)).toEqual(['late']);
      const [failed] = search.trials.filter(({ outcome }) => outcome === 'failed');
      expect(failed).toMatchObject({ what: 'dial', address: '127.0.0.1', port: nobody });
    } finally {
      await Promise.all([late, dns].map((part) => part.close()));
    }
  });

  it('says that the name is not known, and that the server does not answer', async () => {
    const dns = await startDns([]);
    const mute = await startDns([], { isMute: true });
    try {
      const unknown = await findNodes(['srv:example.org'], { probe: askName, resolver: dns.resolver });
      expect(unknown.nodes).toEqual([]);
      expect(unknown.trials).toMatchObject([{ what: 'srv', address: NAME, outcome: 'failed' }]);
      expect(unknown.trials[0]!.error?.message).toMatch(/ENOTFOUND/);
      const resolver = mute.resolver;
      const silent = await findNodes(['srv:example.org'], { probe: askName, resolver, timeout: 100 });
      expect(silent.trials[0]!.error?.message).toMatch(/within the 100 ms/);
    } finally {
      await Promise.all([dns, mute].map((part) => part.close()));
    }
  });
});

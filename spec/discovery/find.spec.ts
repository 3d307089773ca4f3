import { describe, expect, it } from 'vitest';
import { DAEMON_PORT } from '../../lib/access/dial.ts';
import { NoNodeError } from '../../lib/discovery/errors.ts';
import { findNodes } from '../../lib/discovery/find.ts';
import { inVain, trialLines } from '../../lib/discovery/report.ts';
import { askNode } from '../../lib/fork/daemon/ask-node.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import { askName, freePort, startNamed, startNode } from './nodes.ts';

/** A server on one of the ports that `host:*` tries; other programs of this host may have some of them. */
async function startInRange(name: string) {
  for (let port = DAEMON_PORT + 15; port > DAEMON_PORT; port -= 1) {
    const server = await startNamed(name, { port }).catch(() => undefined);
    if (server) return server;
  }
  throw new Error('All ports of the range are taken.');
}

describe('a search for nodes at addresses', () => {
  it('finds a node by asking it how it does, with its state', async () => {
    const { listener, address } = await startNode('bamse');
    try {
      const search = await findNodes([`127.0.0.1:${address.port}`], { probe: askNode });
      expect(search.nodes).toMatchObject([
        {
          name: 'bamse',
          address,
          by: 'static',
          version: '0.1.0',
          state: { cpus: 4, free: 3, state: 'serving' },
        },
      ]);
      expect(search.trials).toMatchObject([{ what: 'dial', port: address.port, outcome: 'answered' }]);
    } finally {
      await listener.close();
    }
  });

  it('is over as soon as all addresses are settled, and says why each was of no use', async () => {
    const nobody = await freePort();
    const search = await findNodes([`127.0.0.1:${nobody}`, 'no.such.host.invalid'], {
      probe: askName,
      timeout: 60_000,
    });
    expect(search.nodes).toEqual([]);
    const lines = trialLines(inVain(search)).sort();
    expect(lines[0]).toMatch(
      new RegExp(`^127\\.0\\.0\\.1:${nobody} failed after \\d+ ms: connect ECONNREFUSED`),
    );
    expect(lines[1]).toMatch(
      /^no\.such\.host\.invalid: the addresses of no\.such\.host\.invalid failed after/,
    );
    const error = new NoNodeError(['a', 'b'], search.trials, search.took);
    expect(error.code).toBe('ERR_OFFSITE_NO_NODE');
    expect(error.message).toMatch(/No node was found by a, b within \d+ ms\. [\s\S]*ECONNREFUSED/);
  });

  it('waits for what says nothing no longer than it was told to', async () => {
    const silent = await startNamed();
    const stubborn = () => new Promise<never>(() => {});
    try {
      const where = [`127.0.0.1:${silent.address.port}`];
      for (const probe of [askName, stubborn]) {
        const search = await findNodes(where, { probe, timeout: 50 });
        expect(search.trials).toMatchObject([{ what: 'dial', outcome: 'silent' }]);
        expect(search.trials[0]!.error?.message).toMatch(/within/);
      }
    } finally {
      await silent.close();
    }
  });

  it('is given up by a signal', async () => {
    const silent = await startNamed();
    const stop = new AbortController();
    try {
      const probe = () => {
        stop.abort(new Error('enough'));
        return new Promise<never>(() => {});
      };
      const search = findNodes([`127.0.0.1:${silent.address.port}`], { probe, signal: stop.signal });
      await expect(search).rejects.toThrow('enough');
      await expect(findNodes(['auto'], { probe, signal: stop.signal })).rejects.toThrow('enough');
    } finally {
      await silent.close();
    }
  });

  it('finds one node that has two addresses once', async () => {
    const one = await startNamed('one');
    const { port } = one.address;
    try {
      const search = await findNodes([`localhost:${port}`, `127.0.0.1:${port}`], { probe: askName });
      expect(search.nodes).toMatchObject([{ name: 'one', where: `localhost:${port}` }]);
      expect(search.nodes[0]!.aliases).toContain(`127.0.0.1:${port}`);
    } finally {
      await one.close();
    }
  });

  it('finds the daemons of a host by the ports that they take', async () => {
    const one = await startInRange('one');
    const two = await startInRange('two');
    try {
      const search = await findNodes(['127.0.0.1:*'], { probe: askName, timeout: 2_000 });
      const ports = search.nodes.filter(({ name }) => ['one', 'two'].includes(name));
      expect(ports.map(({ name, by, address }) => `${name} ${by} ${address.port}`).sort()).toEqual([
        `one ports ${one.address.port}`,
        `two ports ${two.address.port}`,
      ]);
      expect(search.trials).toHaveLength(16);
      // No line for each port of a host that was found.
      expect(trialLines(inVain(search))).toEqual([]);
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  it('refuses options that make no sense', async () => {
    for (const options of [{ timeout: 0 }, { timeout: Number.NaN }, { interfaces: [''] }, { probe: 7 }]) {
      const wrong = { probe: askName, ...options } as { probe: typeof askName };
      await expect(findNodes(['auto'], wrong)).rejects.toThrow(OptionError);
    }
  });
});

describe('asking a node how it does', () => {
  it('refuses what no node says', async () => {
    for (const says of ['hello', '{}', '{"node":{"name":7}}', '[1]']) {
      const { listener, address } = await startNode('odd', { says });
      try {
        await expect(askNode(address)).rejects.toThrow(/is no node: it says what no node/);
      } finally {
        await listener.close();
      }
    }
  });

  it('waits for a node that lets it in and says nothing no longer than it was told to', async () => {
    const { listener, address } = await startNode('mute', { says: '' });
    try {
      await expect(askNode(address, { timeout: 200 })).rejects.toThrow(/no node|did not say/);
      const stop = new AbortController();
      const asked = askNode(address, { signal: stop.signal });
      stop.abort(new Error('enough'));
      await expect(asked).rejects.toThrow('enough');
    } finally {
      await listener.close();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeTable } from '../../lib/cli/nodes/table.ts';
import type { FoundNode } from '../../lib/discovery/node.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { freePort, startNode, stateOf } from '../discovery/nodes.ts';
import { offsite, start } from './cli.ts';

let node: Awaited<ReturnType<typeof startNode>>;
let at: string;
let nobody: string;

beforeAll(async () => {
  node = await startNode('bamse');
  at = `127.0.0.1:${node.address.port}`;
  nobody = `127.0.0.1:${await freePort()}`;
});
afterAll(() => node.listener.close());

describe('offsite nodes', () => {
  it('prints a table of what it found, and why the rest was not', async () => {
    const { code, stdout, stderr } = await offsite(['nodes', at, nobody]);
    const [head, row, ...more] = stdout.trimEnd().split('\n');
    expect(head).toBe(`NAME   ${'ADDRESS'.padEnd(at.length)}  STATE    CPUS  FREE  VERSION  BY`);
    expect(row).toBe(`bamse  ${at}  serving     4     3  0.1.0    static`);
    expect(more).toEqual([]);
    expect(stderr).toMatch(new RegExp(`^${nobody} failed after \\d+ ms: Nothing listens at ${nobody}`));
    expect(code).toBe(0);
  });

  it('exits with 1 and says what to do if nothing was found', async () => {
    const { code, stdout, stderr } = await offsite(['nodes', nobody, '--timeout', '1']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/No node was found by 127[\s\S]*offsite keygen/);
  });

  it('prints one line of JSON if asked', async () => {
    const { code, stdout } = await offsite(['nodes', at, nobody, '--json']);
    const { nodes, trials, took } = JSON.parse(stdout) as Record<string, unknown>;
    expect(nodes).toMatchObject([{ name: 'bamse', by: 'static', state: { cpus: 4 } }]);
    expect(trials).toContainEqual(
      expect.objectContaining({
        where: nobody,
        outcome: 'failed',
        error: expect.stringContaining(`Nothing listens at ${nobody}`),
      }),
    );
    expect(took).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it('says on which interface it asked, or that there is none', async () => {
    const { code, stderr } = await offsite(['nodes', '--interface', 'no-such-0']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /auto: multicast failed after .*no interface that is up and has the name or address no-such-0/,
    );
  });

  it('refuses words that make no sense, and ends with Ctrl-C', async () => {
    const wrong = await offsite(['nodes', 'user@host']);
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toMatch(/user@host[\s\S]*For instance: offsite nodes/);
    const mute = await startNode('mute', { says: '' });
    try {
      const running = start(['nodes', `127.0.0.1:${mute.address.port}`, 'auto', '--timeout', '60']);
      const ended = running.ended;
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          // Only a process that handles it ends with a code of its own.
          running.child.kill('SIGINT');
        }, 200);
        void ended.then(() => {
          clearInterval(timer);
          resolve();
        });
      });
      const { code, signal, stderr } = await ended;
      // Before it has begun to listen to signals, it is ended by the first.
      expect(code === 130 || signal === 'SIGINT').toBe(true);
      expect(stderr).toBe('');
    } finally {
      await mute.listener.close();
    }
  });

  it('lets no control character of a stranger reach the terminal', () => {
    const state: NodeState = { ...stateOf('\u001b[2Jx'), version: '1\r2' };
    const found: FoundNode<NodeState> = {
      name: state.name,
      address: { host: '::1', port: 1 },
      aliases: [],
      by: 'mdns',
      where: 'auto',
      interface: 'eth0',
      version: state.version,
      state,
    };
    const [, row] = nodeTable([found]);
    expect(row).toBe('?[2Jx  [::1]:1  serving     4     3  1?2      mdns eth0');
  });
});

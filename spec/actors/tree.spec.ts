import { afterEach, describe, expect, test } from 'vitest';
import { adopt, release } from '../../actors/root.ts';
import { RemoteManager, Supervisor, type TreeNode, tree } from '../../lib/index.ts';
import { closeTracked, fixture, type Misbehave, rejection, track } from '../support/sites.ts';
import { Troupe } from './supervisor/actors.ts';

type Nest = typeof import('../support/fixtures/nest.js');

const quiet = { stdout: 'ignore', stderr: 'ignore' } as const;
const opened: Supervisor[] = [];
afterEach(async () => {
  await closeTracked();
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.close({ timeout: 500 })));
});

/** What can be told beforehand of a tree. */
const shape = ({ kind, name, state, children }: TreeNode): unknown[] => [
  `${kind} ${name} ${state}`,
  ...children.map(shape),
];

describe('the tree', () => {
  test('has the supervisors, sites and actors of this process, each where it belongs', async () => {
    const troupe = new Troupe();
    const inner = () =>
      troupe.supervise(['x', troupe.spec('y', { restart: 'transient' })], { name: 'inner' });
    const supervisor = troupe.supervise(
      [
        { id: 'calc', start: () => new RemoteManager({ ...quiet, fork: 'virtual' }) },
        { id: 'below', start: inner },
      ],
      { name: 'top', strategy: 'rest_for_one' },
    );
    opened.push(supervisor);
    await supervisor.ready;
    await troupe.end('y', 'normal');
    await troupe.end('x');
    const byHand = track(new RemoteManager({ ...quiet, fork: 'virtual', name: 'mine' }));
    await byHand.ready;
    const root = await tree();
    expect(shape(root).slice(1)).toEqual([
      ['supervisor top running', ['site calc up'], ['supervisor below up', ['actor x up'], ['actor y down']]],
      ['site mine ready'],
    ]);
    expect(root).toMatchObject({ kind: 'root', pid: process.pid, state: 'running' });
    expect(root.memory).toBe(process.memoryUsage().rss > 0 ? root.memory : 0);
    const [top, mine] = root.children as [TreeNode, TreeNode];
    expect(top.strategy).toBe('rest_for_one');
    expect(top.children[1]!.children[0]).toMatchObject({ restarts: 1 });
    expect(mine).toMatchObject({ host: 'localhost', fork: 'virtual', pid: process.pid, inFlight: 0 });
    for (const site of [mine, top.children[0]!]) {
      expect(site.memory).toBeGreaterThan(1_000_000);
      expect(site.uptime).toBeGreaterThan(0);
      expect(site.unanswered).toBeUndefined();
    }
  });

  test("has the sites of sites, asked through them, with each one's own memory", async () => {
    const manager = track(new RemoteManager({ ...quiet, fork: 'sh', name: 'outer' }));
    const nest = await manager.link<Nest>(fixture('nest.js'));
    await nest.raise([
      { options: { fork: 'sh', name: 'middle' }, sites: [{ options: { fork: 'virtual', name: 'deep' } }] },
    ]);
    const { children } = await tree({ timeout: 10_000 });
    expect(children.map(shape)).toEqual([['site outer ready', ['site middle ready', ['site deep ready']]]]);
    const [outer] = children as [TreeNode];
    const middle = outer.children[0]!;
    expect(new Set([process.pid, outer.pid, middle.pid]).size).toBe(3);
    expect(middle.children[0]!.pid).toBe(middle.pid);
    expect(middle.memory).toBeGreaterThan(middle.children[0]!.memory!);
  });

  test('does not wait for a site that is busy for longer than it was given, and says so', async () => {
    const manager = track(new RemoteManager({ ...quiet, fork: 'virtual', name: 'busy' }));
    const module = await manager.link<Misbehave>(fixture('misbehave.js'));
    module.spin().catch(() => {});
    const { children } = await tree({ timeout: 50 });
    expect(children).toMatchObject([{ name: 'busy', state: 'ready', children: [] }]);
    expect(children[0]!.inFlight).toBeGreaterThan(0);
    expect(children[0]!.unanswered).toMatch(/Asking busy was not answered within 50 ms/);
    expect(children[0]!.memory).toBeUndefined();
  });

  test('shows a site that is not ready without asking it', async () => {
    const manager = track(new RemoteManager({ ...quiet, fork: 'sh', name: 'young' }));
    expect(await manager.tree()).toMatchObject({ state: 'starting', children: [] });
    await manager.ready;
    await manager.close();
    expect(await manager.tree()).toMatchObject({ state: 'closed', children: [] });
  });

  test('refuses a time that is none', async () => {
    expect((await rejection(tree({ timeout: -1 }))).code).toBe('ERR_OFFSITE_OPTION');
  });
});

describe('what is made in a start', () => {
  test('belongs to its supervisor and not to the root, which does not close it twice', async () => {
    let manager: RemoteManager | undefined;
    const start = () => {
      manager = new RemoteManager({ ...quiet, fork: 'virtual' });
      return manager;
    };
    const supervisor = new Supervisor({ name: 'owner', children: [{ id: 'a', start }] });
    opened.push(supervisor);
    await supervisor.ready;
    expect(release(manager!)).toBe(false);
    expect(release(supervisor)).toBe(true);
    adopt(supervisor);
    await supervisor.close();
    expect(release(supervisor)).toBe(false);
    expect(manager!.state).toBe('closed');
  });

  test('is left alone by the root if it outlives this process', async () => {
    const closed: string[] = [];
    const child = (name: string) => ({ close: async () => void closed.push(name) });
    const [stays, goes] = [child('stays'), child('goes')];
    adopt(stays, { outlives: true });
    adopt(goes);
    process.emit('beforeExit', 0);
    await new Promise(setImmediate);
    expect(closed).toEqual(['goes']);
    release(stays);
    release(goes);
  });
});

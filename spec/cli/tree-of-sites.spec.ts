import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TreeNode } from '../../lib/index.ts';
import { descendants, waitUntilGone } from '../support/processes.ts';
import { fixture } from '../support/sites.ts';
import { linesOf, offsite, root } from './cli.ts';

let home = '';
let program: ChildProcess;
/** What the program says, line by line. */
let said: AsyncIterator<string>;
const next = async () => (await said.next()).value as string;

// A program, whose supervisor holds a process, whose own supervisor holds a thread and a process.
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  const body = `
    import { createInterface } from 'node:readline';
    import { RemoteManager, Supervisor, tree, withOptions } from 'offsite';
    const quiet = { stdout: 'ignore', stderr: 'ignore' };
    const nest = ${JSON.stringify(fixture('nest-supervised.js').href)};
    const wire = ${JSON.stringify(fixture('wire.js').href)};
    const sites = { thread: { fork: 'virtual' }, process: { fork: 'sh' } };
    const top = new Supervisor({ name: 'top', intensity: 9, children: [{
      id: 'middle',
      start: () => new RemoteManager({ ...quiet, fork: 'sh' }),
      setup: (site) => site.link(new URL(nest)).supervise('below', sites),
    }] });
    await top.ready;
    const middle = top.child('middle');
    const never = async () => {
      const module = await middle.current.link(new URL(wire));
      module.never().catch(() => {});
      await module.add(1, 1);
    };
    await never();
    console.log('ready');
    for await (const order of createInterface(process.stdin)) {
      if (order === 'tree') console.log(JSON.stringify(await tree({ timeout: 10_000 })));
      if (order === 'restarted') {
        const again = new Promise((resolve) => middle.on('up', resolve));
        process.kill(middle.current.pid, 'SIGKILL');
        await again;
        console.log('restarted');
      }
    }
    await top.close();`;
  program = spawn(process.execPath, ['--input-type=module', '-e', body], {
    cwd: root,
    env: { ...process.env, XDG_RUNTIME_DIR: home, OFFSITE_CONTROL: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  said = createInterface(program.stdout!)[Symbol.asyncIterator]();
  expect(await next()).toBe('ready');
});
afterAll(async () => {
  const below = descendants(program.pid!);
  program.stdin!.end();
  if (program.exitCode === null) await once(program, 'exit');
  await waitUntilGone(below, 5_000);
  rmSync(home, { recursive: true, force: true });
});

const asked = {
  program: async () => {
    program.stdin!.write('tree\n');
    return JSON.parse(await next()) as TreeNode;
  },
  shell: async () => {
    const { stdout } = await offsite(['tree', String(program.pid), '--json', '--timeout', '10'], '', {
      XDG_RUNTIME_DIR: home,
    });
    return linesOf(stdout)[0] as TreeNode;
  },
};

/** What can be told beforehand of a site. */
const site = (name: string, fork: string, more: object = {}) => ({
  kind: 'site',
  name,
  state: 'up',
  host: 'localhost',
  fork,
  pid: expect.any(Number) as number,
  restarts: 0,
  inFlight: 0,
  memory: expect.any(Number) as number,
  uptime: expect.any(Number) as number,
  children: [],
  ...more,
});
const whole = (middle: object) => ({
  kind: 'root',
  name: expect.any(String) as string,
  state: 'running',
  host: hostname(),
  pid: program.pid,
  memory: expect.any(Number) as number,
  uptime: expect.any(Number) as number,
  children: [
    {
      kind: 'supervisor',
      name: 'top',
      state: 'running',
      strategy: 'one_for_one',
      children: [
        site('middle', 'sh', {
          ...middle,
          children: [
            {
              kind: 'supervisor',
              name: 'below',
              state: 'running',
              strategy: 'one_for_one',
              children: [site('thread', 'virtual'), site('process', 'sh')],
            },
          ],
        }),
      ],
    },
  ],
});
const sitesIn = (node: TreeNode): TreeNode[] => [
  ...(node.kind === 'site' ? [node] : []),
  ...node.children.flatMap(sitesIn),
];

test.each(['program', 'shell'] as const)(
  "a site's own supervisor, and its sites, are in the tree that the %s is told",
  async (who) => {
    const tree = await asked[who]();
    expect(tree).toEqual(whole({ inFlight: 1 }));
    const [middle, thread, process] = sitesIn(tree) as [TreeNode, TreeNode, TreeNode];
    expect(thread.pid).toBe(middle.pid);
    expect(new Set([tree.pid, middle.pid, process.pid]).size).toBe(3);
    for (const { memory, uptime } of [middle, thread, process]) {
      expect(memory).toBeGreaterThan(1_000_000);
      expect(uptime).toBeGreaterThan(0);
    }
  },
);

test('a site that was started again has its supervisor, and the sites of that, below it again', async () => {
  const [before] = sitesIn(await asked.program()) as [TreeNode];
  program.stdin!.write('restarted\n');
  expect(await next()).toBe('restarted');
  const after = await asked.shell();
  expect(after).toEqual(whole({ restarts: 1 }));
  const sites = sitesIn(after);
  expect(sites.map(({ pid }) => pid)).not.toContain(before.pid);
});

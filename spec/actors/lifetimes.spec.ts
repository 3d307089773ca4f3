import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, type TestContext, test } from 'vitest';
import type { RaisedSite, SitePlan } from '../support/fixtures/nest.js';
import { alive, descendants, killAll, staysAlive, waitUntilGone } from '../support/processes.ts';
import { fixture } from '../support/sites.ts';

// What is promised, in milliseconds after the parent's end, and how much more a noisy machine is granted.
const GONE = { local: 250, ssh: 2_000 };
const NOISE = 4;
// How long a parent may take to come to its own end once it was told to.
// At a normal end it closes its sites first, and a spinning one is asked, told and killed, which takes about 4 s.
const ENDING = 10_000;
// A detached site that were tied to its parent after all would be gone well within this.
const WATCH = 2 * GONE.local;

const ssh = inject('ssh');

type Ending = 'return' | 'throw' | 'exit' | 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGKILL';
interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

// The library must not change how its host program ends, only see to it that nothing stays behind.
const endings: [Ending, Ended][] = [
  ['return', { code: 0, signal: null }],
  ['throw', { code: 1, signal: null }],
  ['exit', { code: 7, signal: null }],
  ['SIGINT', { code: null, signal: 'SIGINT' }],
  ['SIGTERM', { code: null, signal: 'SIGTERM' }],
  ['SIGHUP', { code: null, signal: 'SIGHUP' }],
  ['SIGKILL', { code: null, signal: 'SIGKILL' }],
];

const virtual = (more: Partial<SitePlan> = {}): SitePlan => ({ options: { fork: 'virtual' }, ...more });
const sh = (more: Partial<SitePlan> = {}): SitePlan => ({ options: { fork: 'sh' }, ...more });
const overSsh = (more: Partial<SitePlan> = {}): SitePlan => {
  if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
  return { options: { fork: 'ssh', host: ssh.host, sshOptions: ssh.options }, ...more };
};
const detached = (plan: SitePlan): SitePlan => ({ ...plan, options: { ...plan.options, detach: true } });
const spin = 'own';
// A program that waits for an answer doesn't come to its end by itself, so there only the other kind is meant.
const inCall = (ending: Ending) => (ending === 'return' ? 'own' : 'call');

/** A parent program with its sites, as `raiseParent` found them. */
interface Parent {
  child: ChildProcessWithoutNullStreams;
  sites: RaisedSite[];
  /** Every process that is there because of it, helpers such as ssh clients included, without detached sites. */
  tied: number[];
  detached: number[];
  ended: Promise<Ended>;
}

const started = new Set<number>();

afterEach(() => {
  killAll(started);
  started.clear();
});

async function raiseParent(ending: Ending, sites: SitePlan[]): Promise<Parent> {
  const end = ending.startsWith('SIG') ? 'wait' : ending;
  const child = spawn(
    process.execPath,
    [fileURLToPath(fixture('parent.js')), JSON.stringify({ sites, end })],
    { stdio: 'pipe' },
  );
  started.add(child.pid!);
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Ended);
  child.stdin.on('error', () => {});
  const line = await Promise.race([
    firstLine(child),
    ended.then(({ code, signal }) => {
      throw new Error(
        `The parent ended (${code ?? signal}) before its sites were ready; it said:\n${complaint}`,
      );
    }),
  ]);
  const raised = (JSON.parse(line) as { sites: RaisedSite[] }).sites;
  const free = raised.filter((site) => site.detached).map((site) => site.pid);
  const freed = new Set(free.flatMap((pid) => [pid, ...descendants(pid)]));
  const pids = [...raised.map((site) => site.pid), ...descendants(child.pid!)];
  const tied = [...new Set(pids)].filter((pid) => pid !== child.pid && !freed.has(pid));
  for (const pid of [...tied, ...free]) started.add(pid);
  return { child, sites: raised, tied, detached: free, ended };
}

async function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  return new Promise(() => {}); // its end is reported by the race that this is in
}

/** Ends the parent in the given way; resolves once it is gone, with how it went. */
async function end(parent: Parent, ending: Ending): Promise<Ended> {
  if (ending.startsWith('SIG')) parent.child.kill(ending as NodeJS.Signals);
  else parent.child.stdin.write('end\n');
  let bound: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    bound = setTimeout(
      () => reject(new Error(`The parent still runs ${ENDING} ms after its ${ending}.`)),
      ENDING,
    );
  });
  try {
    return await Promise.race([parent.ended, late]);
  } finally {
    clearTimeout(bound);
  }
}

/** Asserts that what the parent leaves is gone in time, and notes how long it took. */
async function expectGone(context: TestContext, parent: Parent, promised: number): Promise<void> {
  expect(parent.tied.length, 'processes to look for').toBeGreaterThan(0);
  const took = await waitUntilGone(parent.tied, promised * NOISE);
  const note = `${parent.tied.length} processes gone ${took} ms after the parent's end (promised: ${promised} ms)`;
  await context.annotate(note);
  expect(took, note).toBeLessThanOrEqual(promised * NOISE);
}

describe('sites on this host', () => {
  test.for(endings)(
    'die with a parent that ends by %s, idle or spinning, with children or without',
    async ([ending, how], context) => {
      const parent = await raiseParent(ending, [
        virtual(),
        virtual({ spin }),
        sh(),
        sh({ spin }),
        sh({ spin: inCall(ending) }),
        sh({ spin, sites: [sh({ spin }), virtual({ spin })] }),
      ]);
      expect(await end(parent, ending)).toEqual(how);
      await expectGone(context, parent, GONE.local);
    },
  );

  test.for(endings)('survive a parent that ends by %s when they are detached', async ([ending]) => {
    const parent = await raiseParent(ending, [detached(sh()), sh()]);
    await end(parent, ending);
    await waitUntilGone(parent.tied, GONE.local * NOISE);
    expect(parent.detached).toHaveLength(1);
    const [pid] = parent.detached as [number];
    await staysAlive(pid, WATCH);
    process.kill(pid, 'SIGKILL');
    await waitUntilGone([pid], 1_000);
  });

  test('die with children that they forked themselves when they are killed one by one', async () => {
    const parent = await raiseParent('exit', [sh({ sites: [sh({ spin })] })]);
    const [top, below] = parent.sites as [RaisedSite, RaisedSite];
    process.kill(top.pid, 'SIGKILL');
    await waitUntilGone([top.pid, below.pid], GONE.local * NOISE);
    expect(alive(parent.child.pid!)).toBe(true);
    await end(parent, 'exit');
  });
});

describe('sites over ssh', () => {
  test.for(endings)(
    'die with a parent that ends by %s, idle or spinning, with children or without',
    async ([ending, how], context) => {
      if (ssh.unavailable !== undefined) context.skip(ssh.unavailable);
      const parent = await raiseParent(ending, [
        overSsh(),
        overSsh({ spin }),
        overSsh({ spin: inCall(ending) }),
        overSsh({ spin, sites: [sh({ spin })] }),
      ]);
      expect(await end(parent, ending)).toEqual(how);
      await expectGone(context, parent, GONE.ssh);
    },
  );

  test.for(['exit', 'SIGHUP', 'SIGKILL'] as const)(
    'survive a parent that ends by %s when they are detached',
    async (ending, context) => {
      if (ssh.unavailable !== undefined) context.skip(ssh.unavailable);
      const parent = await raiseParent(ending, [detached(overSsh()), overSsh()]);
      await end(parent, ending);
      await waitUntilGone([parent.sites[1]!.pid], GONE.ssh * NOISE);
      const [pid] = parent.detached as [number];
      await staysAlive(pid, WATCH);
      process.kill(pid, 'SIGKILL');
      await waitUntilGone([pid], 1_000);
    },
  );
});

describe('three levels with six busy children', () => {
  test('leave nothing behind when the parent is killed with SIGKILL', async (context) => {
    if (ssh.unavailable !== undefined) context.skip(ssh.unavailable);
    const parent = await raiseParent('SIGKILL', [
      virtual({ spin, sites: [sh({ spin, sites: [overSsh({ spin: 'call' })] })] }),
      overSsh({ spin: 'call', sites: [sh({ spin, sites: [virtual({ spin })] })] }),
    ]);
    expect(parent.sites).toHaveLength(6);
    expect(new Set(parent.sites.map((site) => site.fork))).toEqual(new Set(['virtual', 'sh', 'ssh']));
    await end(parent, 'SIGKILL');
    await expectGone(context, parent, GONE.ssh);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import {
  type ChildExit,
  type ChildSpec,
  RemoteManager,
  type RemoteManagerOptions,
  Supervisor,
  type SupervisorOptions,
} from '../../../lib/index.ts';
import { alive, descendants, waitUntilGone } from '../../support/processes.ts';
import { fixture, type Misbehave, rejection } from '../../support/sites.ts';

const misbehave = fixture('misbehave.js');
const opened: Supervisor[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((supervisor) => supervisor.close({ timeout: 1_000 })));
});

const quiet = { stdout: 'ignore', stderr: 'ignore' } as const;
const site = (id: string, options: RemoteManagerOptions, more: Partial<ChildSpec> = {}): ChildSpec => {
  return { id, start: () => new RemoteManager({ ...quiet, ...options }), ...more };
};
const supervise = (children: ChildSpec[], options: Partial<SupervisorOptions> = {}): Supervisor => {
  const supervisor = new Supervisor({ intensity: 9, ...options, children } as SupervisorOptions);
  opened.push(supervisor);
  return supervisor;
};
const nextDown = (supervisor: Supervisor, id: string) =>
  new Promise<ChildExit>((resolve) => supervisor.child(id).on('down', resolve));

/** Has the site `busy` spin for ever; resolves to its pid. */
const spinning = async (supervisor: Supervisor): Promise<number> => {
  const busy = await supervisor.child('busy').whenUp();
  const module = await busy.link<Misbehave>(misbehave);
  // It is performed as soon as it arrives, and so before anything that is sent later.
  module.spin().catch(() => {});
  return busy.pid!;
};

/** Whether the end of a site is an end for good, a shutdown, or a crash. */
const ends = [
  ['sh', 'SIGKILL from outside', 'killed'],
  ['sh', 'process.exit(0)', 'normal'],
  ['sh', 'process.exit(3)', 'crashed'],
  ['sh', 'close()', 'shutdown'],
  ['virtual', 'process.exit(0)', 'normal'],
  ['virtual', 'process.exit(3)', 'crashed'],
  ['virtual', 'close()', 'shutdown'],
] as const;

describe('a site below a supervisor', () => {
  test.each(ends)('(%s) comes back after %s, which is %s, and is set up again', async (fork, how, reason) => {
    const supervisor = supervise([
      site(
        'calc',
        { fork },
        {
          setup: async (manager) => {
            await manager.enter({ name: 'settings' }, { colour: 'blue' });
            await manager.link(misbehave);
          },
        },
      ),
      site('other', { fork: 'virtual' }),
    ]);
    await supervisor.ready;
    const calc = supervisor.child('calc');
    const first = calc.current!;
    const down = nextDown(supervisor, 'calc');
    if (how === 'SIGKILL from outside') process.kill(first.pid!, 'SIGKILL');
    else if (how === 'close()') void first.close();
    else
      first
        .link<Misbehave>(misbehave)
        .exitWith(Number(how[13]))
        .catch(() => {});
    expect((await down).reason).toBe(reason);
    const second = await calc.whenUp({ timeout: 10_000 });
    expect(second).not.toBe(first);
    expect(await second.link<{ colour: string }>({ name: 'settings' }).colour).toBe('blue');
    expect(calc.restarts).toBe(1);
    expect(supervisor.child('other').restarts).toBe(0);
  });

  test('does not come back if it is transient and has ended with exit code 0', async () => {
    const supervisor = supervise([site('job', { fork: 'sh' }, { restart: 'transient' })]);
    await supervisor.ready;
    const { pid } = supervisor.child('job').current!;
    const down = nextDown(supervisor, 'job');
    supervisor
      .child('job')
      .current!.link<Misbehave>(misbehave)
      .exitWith(0)
      .catch(() => {});
    await down;
    expect(supervisor.child('job').state).toBe('down');
    expect(alive(pid!)).toBe(false);
  });

  test('has ended as it was asked to if it is detached and was left alone', async () => {
    const supervisor = supervise([site('job', { fork: 'sh', detach: true }, { restart: 'transient' })]);
    const manager = await supervisor.child('job').whenUp();
    const ticket = await manager.ticket();
    const down = nextDown(supervisor, 'job');
    await manager.disconnect();
    expect((await down).reason).toBe('shutdown');
    expect(supervisor.child('job').state).toBe('down');
    const again = RemoteManager.attach(ticket);
    await again.ready;
    await again.close();
  });

  test('takes its siblings along under one_for_all, and all of them are other processes then', async () => {
    const supervisor = supervise([site('a', { fork: 'sh' }), site('b', { fork: 'sh' })], {
      strategy: 'one_for_all',
    });
    await supervisor.ready;
    const pids = () => ['a', 'b'].map((id) => supervisor.child(id).current!.pid!);
    const before = pids();
    const gone = nextDown(supervisor, 'a');
    process.kill(before[1]!, 'SIGKILL');
    await gone;
    await Promise.all(['a', 'b'].map((id) => supervisor.child(id).whenUp()));
    expect(pids().some((pid) => before.includes(pid))).toBe(false);
    expect(before.some(alive)).toBe(false);
  });

  test('that can not be started is a failed start, which says why', async () => {
    const supervisor = supervise([site('fine', { fork: 'virtual' }), site('bad', { fork: ['false'] })]);
    const error = await rejection(supervisor.ready);
    expect(error).toMatchObject({
      code: 'ERR_OFFSITE_CHILD_START',
      id: 'bad',
      cause: { code: 'ERR_OFFSITE_FORK' },
    });
  });

  test('that can not be set up is a failed start, and its process is gone', async () => {
    let pid = 0;
    const setup = async (manager: RemoteManager) => {
      pid = manager.pid!;
      await manager.link('./no-such-module.js');
    };
    const supervisor = supervise([site('a', { fork: 'sh' }, { setup: setup as never })]);
    const error = await rejection(supervisor.ready);
    expect(error).toMatchObject({ id: 'a', cause: { code: 'ERR_MODULE_NOT_FOUND' } });
    expect(pid).toBeGreaterThan(0);
    expect(alive(pid)).toBe(false);
  });

  test('that dies while it is set up is a failed start', async () => {
    const setup = (manager: RemoteManager) => manager.link<Misbehave>(misbehave).exitWith(0);
    const supervisor = supervise([site('a', { fork: 'virtual' }, { setup })]);
    expect(await rejection(supervisor.ready)).toMatchObject({ id: 'a' });
  });

  test('gets as long to end as its spec says, by the clock of its supervisor, and is killed then', async () => {
    const clock = new SimulatedClock();
    const supervisor = supervise([site('busy', { fork: 'sh' }, { shutdown: 60_000 })], { clock });
    const pid = await spinning(supervisor);
    const closing = supervisor.close();
    await new Promise(setImmediate);
    clock.increment(59_999);
    await new Promise(setImmediate);
    expect(alive(pid)).toBe(true);
    clock.increment(1);
    await closing;
    expect(alive(pid)).toBe(false);
  });

  test('gets no longer than who closes the supervisor allows, on whatever level it is', async () => {
    const clock = new SimulatedClock();
    const inner = supervise([site('busy', { fork: 'sh' }, { shutdown: 'infinity' })], { clock });
    const pid = await spinning(inner);
    const outer = supervise([{ id: 'inner', start: () => inner }], { clock });
    await outer.ready;
    const closing = outer.close({ timeout: 100 });
    await new Promise(setImmediate);
    expect(alive(pid)).toBe(true);
    clock.increment(100);
    // Time to end the inner one, which passes on that it is to hurry.
    await new Promise(setImmediate);
    clock.increment(1);
    await closing;
    expect(alive(pid)).toBe(false);
  });

  test('is not waited for if its shutdown is brutal', async () => {
    const child = site('busy', { fork: 'sh' }, { shutdown: 'brutal' });
    // Time stands still: whatever were to be waited for would never come.
    const supervisor = supervise([child], { clock: new SimulatedClock() });
    const pid = await spinning(supervisor);
    await supervisor.close();
    expect(alive(pid)).toBe(false);
  });
});

describe('a program with a supervisor', () => {
  const program = (body: string) =>
    spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { RemoteManager, Supervisor } from ${JSON.stringify(new URL('../../../dist/lib/index.js', import.meta.url).href)};\n${body}`,
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );

  test('ends when it has nothing left to do, and so do the sites below, in order', async () => {
    const child = program(`
      const supervisor = new Supervisor({ children: ['a', 'b'].map((id) => ({ id, start: () => new RemoteManager({ fork: 'sh' }) })) });
      await supervisor.ready;
      for (const id of ['a', 'b']) supervisor.child(id).on('down', ({ reason }) => console.log(id, reason));
      console.log(supervisor.child('a').current.pid, supervisor.child('b').current.pid);
    `);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    const [pids, ...ends] = out.trim().split('\n');
    expect(code).toBe(0);
    expect(ends).toEqual(['b shutdown', 'a shutdown']);
    expect(pids!.split(' ').map(Number).some(alive)).toBe(false);
  });

  test('that is killed leaves none of the sites below', async () => {
    const child = program(`
      const supervisor = new Supervisor({ children: [{ id: 'top', start: () => new Supervisor({ children: [{ id: 'a', start: () => new RemoteManager({ fork: 'sh' }) }] }) }] });
      await supervisor.ready;
      console.log('ready');
      setInterval(() => {}, 1_000_000);
    `);
    await once(child.stdout, 'data');
    const below = descendants(child.pid!);
    expect(below.length).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await waitUntilGone(below, 5_000);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WorkerConfig } from '../../../actors/cluster/manager.ts';
import { ForkError, functor, SSHManager } from '../../../lib/index.ts';
import { descendants, killAll, processTable, waitUntilGone } from '../../support/processes.ts';
import { closeTracked, fixture, rejection } from '../../support/sites.ts';
import { type Sshd, startSshd } from '../../support/sshd.ts';
import { configsOf, launchAll, removeAll } from './launched.ts';

/** How many sessions may share one connection. */
const MAX_SESSIONS = 4;

let sshd: Sshd;
let unavailable: string | undefined;
let sshflags: string[];

// One of its own, because the connections to it are counted.
beforeAll(async () => {
  const env = Object.fromEntries(
    ['OFFSITE_TEST_RUN', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR'].map((name) => [name, process.env[name]!]),
  );
  try {
    sshd = await startSshd(env, ['sh', '-c', `exec "$0" -o MaxSessions=${MAX_SESSIONS} "$@"`]);
  } catch (error) {
    unavailable = `No sshd could be started here: ${(error as Error).message}`;
    return;
  }
  // The other names of the host have its key, too.
  const { options, port } = sshd.access;
  sshflags = [...options, '-o', `HostKeyAlias=[127.0.0.1]:${port}`];
}, 200_000);
beforeEach((context) => context.skip(unavailable !== undefined, unavailable));
afterEach(closeTracked);
afterAll(() => sshd?.close());

/** The pids of the connections that sshd has. */
const connections = (): number[] =>
  processTable()
    .filter(({ parent, zombie }) => parent === sshd.pid && !zombie)
    .map(({ pid }) => pid);

const noConnections = () =>
  vi.waitFor(() => expect(connections()).toEqual([]), { timeout: 5_000, interval: 20 });

/** Where the socket of a shared connection is. */
const socketOf = ({ site }: WorkerConfig): string => {
  const words = site.sshOptions ?? [];
  return words[words.indexOf('-S') + 1]!;
};

const pidOf = functor({ import: {} }, () => ({ pid: () => process.pid }));

describe('SSHManager', () => {
  test('starts nine workers over three aliases of a host, with one connection for each (behaviour 140)', async () => {
    const { port } = sshd.access;
    const manager = new SSHManager(
      [['localhost', 2], '3*127.0.0.1', ['127.0.0.1', 1], `2*root@127.0.0.1:${port}`, 'localhost'],
      { sshflags },
    );
    const launched = await launchAll(manager);
    expect(launched).toHaveLength(9);
    const pids = await Promise.all(launched.map(({ site }) => site.apply(pidOf).pid()));
    expect(new Set(pids).size).toBe(9);
    expect(connections()).toHaveLength(3);
    await removeAll(manager, launched);
    await noConnections();
  });

  test('shares one connection among the workers of a machine, and ends it with the last', async () => {
    const manager = new SSHManager([['127.0.0.1', 3]], { sshflags });
    const launched = await launchAll(manager);
    expect(connections()).toHaveLength(1);
    const socket = socketOf(launched[0]!.config);
    expect(existsSync(socket)).toBe(true);
    await removeAll(manager, launched.slice(0, 2));
    expect(await launched[2]!.site.ping()).toBeGreaterThan(0);
    await removeAll(manager, launched.slice(2));
    expect(existsSync(socket.replace(/\/ssh$/, ''))).toBe(false);
    await noConnections();
  });

  test('starts more than sshd lets share a connection: ssh makes one more for each by itself', async () => {
    const manager = new SSHManager([['127.0.0.1', MAX_SESSIONS + 2]], { sshflags });
    const launched = await launchAll(manager);
    expect(connections()).toHaveLength(1 + 2);
    await removeAll(manager, launched);
    await noConnections();
  });

  test('asks a machine how many cores it has, and gives each worker a connection without multiplex', async () => {
    const shared = await configsOf(new SSHManager(['auto*127.0.0.1'], { sshflags }));
    const manager = new SSHManager(['auto*127.0.0.1'], { sshflags, multiplex: false });
    const launched = await launchAll(manager);
    expect(launched).toHaveLength(shared.length);
    expect(launched.length).toBeGreaterThan(0);
    for (const config of shared) await manager.manage('finalize', 0, config);
    expect(connections()).toHaveLength(launched.length);
    await removeAll(manager, launched);
    await noConnections();
  });

  test('takes machines in all five forms (behaviour 142)', async () => {
    const { port } = sshd.access;
    const machines = [
      '127.0.0.1',
      'root@127.0.0.1',
      `root@127.0.0.1:${port}`,
      `root@localhost:${port} 127.0.0.1`,
      `root@localhost:${port} 127.0.0.1:9753`,
    ];
    const manager = new SSHManager(machines, { sshflags, tunnel: true, exename: process.execPath });
    const launched = await launchAll(manager);
    expect(launched.map(({ config }) => config.bind).filter(Boolean)).toEqual([
      '127.0.0.1',
      '127.0.0.1:9753',
    ]);
    expect(launched.every(({ config }) => config.tunnel)).toBe(true);
    await removeAll(manager, launched);
    await noConnections();
  });

  test('gives the machines that it reaches, and then says why it does not reach another (behaviour 22)', async () => {
    const manager = new SSHManager(
      [
        ['nobody.invalid', 2],
        ['127.0.0.1', 2],
      ],
      { sshflags },
    );
    const given: WorkerConfig[] = [];
    const error = (await rejection(
      (async () => {
        const request = { defaults: {}, signal: new AbortController().signal };
        for await (const config of manager.launch(request)) given.push(config);
      })(),
    )) as unknown as ForkError;
    expect(given.map(({ site }) => site.host)).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(error).toBeInstanceOf(ForkError);
    expect(error.step).toBe('connect');
    expect(error.message).toMatch(/^nobody\.invalid could not be started/);
    for (const config of given) await manager.manage('finalize', 0, config);
    await noConnections();
  });

  test('gives up with the reason of its caller, and leaves nothing', async () => {
    const given = new AbortController();
    const waiting = configsOf(
      new SSHManager([['127.0.0.1', 2]], { sshflags: [...sshflags, '-o', 'ProxyCommand=sleep 60'] }),
      {},
      given.signal,
    );
    const before = descendants(process.pid).length;
    expect(before).toBeGreaterThan(0);
    given.abort(new Error('enough'));
    expect((await rejection(waiting)).message).toBe('enough');
  });

  test('ends what whoever iterates does not take', async () => {
    const manager = new SSHManager(
      [
        ['127.0.0.1', 2],
        ['localhost', 2],
      ],
      { sshflags },
    );
    for await (const config of manager.launch({ defaults: {}, signal: new AbortController().signal })) {
      await manager.manage('finalize', 0, config);
      break;
    }
    await noConnections();
  });

  test('loses the workers of a connection that breaks, and nothing of it is left here', async () => {
    const manager = new SSHManager([['127.0.0.1', 2]], { sshflags });
    const launched = await launchAll(manager);
    const exits = launched.map(({ site }) => new Promise((resolve) => site.on('exit', resolve)));
    killAll(connections());
    await Promise.all(exits);
    const folder = socketOf(launched[0]!.config).replace(/\/ssh$/, '');
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 5_000, interval: 20 });
    await removeAll(manager, launched);
  });

  test('leaves no connection, worker or folder when the program is killed while they are busy', async () => {
    const program = spawn(
      process.execPath,
      [fixture('launcher.js').pathname, 'SSHManager', JSON.stringify([[['127.0.0.1', 2]], { sshflags }])],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface(program.stdout!), 'line')) as [string];
    const here = descendants(program.pid!);
    const socket = processTable()
      .filter(({ pid }) => here.includes(pid))
      .flatMap(({ command }) => / -S (\S+)/.exec(command)?.[1] ?? [])[0]!;
    expect(existsSync(socket)).toBe(true);
    program.kill('SIGKILL');
    await waitUntilGone([...(JSON.parse(line) as number[]), ...here], 5_000);
    await noConnections();
    expect(existsSync(socket.replace(/\/ssh$/, ''))).toBe(false);
  });

  test('prints its machines (behaviour 145), and bounds how many start at once as sshd does', () => {
    const manager = new SSHManager(['bamse', ['ada@blue:2222', 'auto'], 'bamse']);
    expect(String(manager)).toBe('SSHManager(machines=[2*bamse, auto*ada@blue:2222])');
    expect(inspect(manager)).toBe(String(manager));
    expect(manager.maxParallel).toBe(10);
  });

  test('runs the ssh that it is told to', async () => {
    const manager = new SSHManager([['bamse', 2]], {
      ssh: "sh -c 'echo not today: $OFFSITE_NONE >&2; exit 3'",
    });
    const error = await rejection(configsOf(manager));
    expect(error.message).toMatch(/not today/);
    expect(error.exitCode).toBe(3);
  });
});

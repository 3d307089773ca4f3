import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, describe, expect, inject, test } from 'vitest';
import { SimulatedClock } from 'xstate';
import { RemoteManager, type RemoteManagerOptions, Supervisor, withOptions } from '../lib/index.ts';
import { offsite } from './cli/cli.ts';
import { collectedUntil, signalled, type Wire } from './support/lines.ts';
import { killAll, waitUntilGone } from './support/processes.ts';
import { closeTracked, fixture, rejection, track } from './support/sites.ts';

/** No wait here may take longer than this, in milliseconds; what hangs is thereby told by the line's own title. */
const BOUND = 10_000;

const ssh = inject('ssh');
const overSsh = (): RemoteManagerOptions => {
  if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
  return { fork: 'ssh', host: ssh.host, sshOptions: ssh.options };
};
const methods: [string, () => RemoteManagerOptions][] = [
  ['virtual', () => ({ fork: 'virtual' })],
  ['sh', () => ({ fork: 'sh' })],
  ...(ssh.unavailable === undefined ? [['ssh', overSsh] as [string, () => RemoteManagerOptions]] : []),
];
const quiet = { stdout: 'ignore', stderr: 'ignore' } as const;
const fork = (options: RemoteManagerOptions) => track(new RemoteManager({ ...quiet, ...options }));
const started = new Set<number>();

afterEach(closeTracked);
afterAll(() => killAll(started));

const shell = (script: string): RemoteManagerOptions => ({ fork: ['sh', '-c', script], host: 'elsewhere' });

// Each line is a bug that another project had: somebody waited for ever.
describe('nobody waits for ever', { timeout: BOUND }, () => {
  test.each([
    ['ends', 'exit 3'],
    ['is killed', 'kill -9 $$'],
    ['closes its output and lives', 'exec >&-; sleep 600'],
    ['says who it is and dies', 'echo \'offsite/1 {"node":"20.0.0","pid":1,"engine":true}\'; exit 1'],
  ])('engine dies before ready: its command %s', async (_how, script) => {
    const site = fork({ ...shell(script), timeout: 500 });
    const call = rejection(site.link<Wire>(fixture('wire.js')).add(1, 2));
    expect(await rejection(site.ready)).toMatchObject({ code: 'ERR_OFFSITE_FORK' });
    expect(await call).toMatchObject({ code: 'ERR_OFFSITE_FORK' });
    expect(site.state).toBe('crashed');
  });

  test.each(['virtual', 'sh'])(
    'engine dies while a pool slot is checked out: the one slot of `offsite map` over %s works on',
    async (method) => {
      const words = ['map', 'spec/cli/fixtures/jobs.ts#leave', 'a', 'end', 'b', '-p', '1', '--fork', method];
      const { code, stdout } = await offsite(words);
      const [a, end, b] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect({ code, a, b }).toEqual({ code: 1, a: 'a', b: 'b' });
      expect(end).toMatchObject({ error: { code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true }, input: 'end' });
    },
  );

  describe.each(methods)('a site forked by %s', (_name, options) => {
    const wireOf = async (more: RemoteManagerOptions = {}) => {
      const site = fork({ ...options(), ...more });
      const exited = new Promise((resolve) => site.on('exit', resolve));
      return { site, exited, wire: await site.link<Wire>(fixture('wire.js')) };
    };

    let shared: RemoteManager | undefined;
    /** The module in the site that the lines share after which it is as before. */
    const unharmed = () => {
      shared ??= new RemoteManager({ ...quiet, ...options() });
      return shared.link<Wire>(fixture('wire.js'));
    };
    afterAll(() => shared?.close());

    test('engine dies mid-stream, either side', async () => {
      const { wire } = await wireOf();
      const [asked, ended] = [signalled(), signalled()];
      async function* endless() {
        try {
          asked.tell();
          for (;;) yield 1;
        } finally {
          ended.tell();
        }
      }
      const items = await wire.waitingAfter(1);
      await items.next();
      const [reading, feeding] = [rejection(items.next()), rejection(wire.collect(endless()))];
      await asked.told;
      void wire.exit(1);
      expect([(await reading).code, (await feeding).code]).toEqual(Array(2).fill('ERR_OFFSITE_CRASHED'));
      await ended.told;
    });

    test('engine dies with a call whose caller was collected', async () => {
      const { site, exited, wire } = await wireOf();
      const dropped = (() => {
        const call = wire.never() as unknown as object;
        return new WeakRef(call);
      })();
      await wire.add(1, 1);
      await collectedUntil(() => dropped.deref() === undefined);
      void wire.exit(1);
      await exited;
      expect([site.inFlight, site.state]).toEqual([0, 'crashed']);
    });

    test("engine dies during another call's graceful cancel", async () => {
      const { exited, wire } = await wireOf();
      const controller = new AbortController();
      const [running, givenUp] = [signalled(), signalled()];
      const cancelled = rejection(
        withOptions(wire, { signal: controller.signal }).untilGivenUp((what) => {
          (what === 'running' ? running : givenUp).tell();
          // The site waits for this while it cleans up.
          return what === 'running' ? undefined : new Promise(() => {});
        }),
      );
      await running.told;
      const other = rejection(wire.never());
      controller.abort('given up');
      expect(await cancelled).toBe('given up');
      await givenUp.told;
      void wire.exit(1);
      expect(await other).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
      await exited;
    });

    test('engine dies while the supervisor is in back-off', async () => {
      const clock = new SimulatedClock();
      await using supervisor = new Supervisor({
        intensity: 9,
        backoff: { initial: 30_000, factor: 1, jitter: 0 },
        clock,
        children: [{ id: 'wire', start: () => new RemoteManager({ ...quiet, ...options() }) }],
      });
      await supervisor.ready;
      const child = supervisor.child('wire');
      const wire = child.link<Wire>(fixture('wire.js'));
      const die = async () => {
        const down = new Promise((resolve) => child.on('down', resolve));
        void wire.exit(1);
        await down;
      };
      expect(await wire.add(1, 1)).toBe(2);
      await die();
      // The first waits for the next site, and the second no longer than it may.
      const waits = wire.add(1, 2);
      const late = rejection(withOptions(wire, { timeout: 1_000 }).add(1, 3));
      clock.increment(1_000);
      const error = await late;
      expect(error.code).toBe('ERR_OFFSITE_TIMEOUT');
      expect(error.message).toMatch(/^wire was not up within \d+ ms/);
      expect(child.state).toBe('restarting');
      clock.increment(29_000);
      expect(await waits).toBe(3);
      expect(child.restarts).toBe(1);
      // It dies again, and nobody comes any more.
      await die();
      const never = rejection(wire.add(1, 4));
      await supervisor.close();
      expect(await never).toMatchObject({ code: 'ERR_OFFSITE_NO_CHILD' });
    });

    test('OOM in a thread, or in a process', async () => {
      const { exited, wire } = await wireOf(
        options().fork === 'virtual'
          ? { resourceLimits: { maxOldGenerationSizeMb: 32 } }
          : { execArgv: ['--max-old-space-size=32'] },
      );
      expect(await rejection(wire.exhaust())).toMatchObject({
        code: 'ERR_OFFSITE_CRASHED',
        mayHaveRun: true,
      });
      await exited;
    });

    test.each([
      ['unserialisable result', 'secret', 'ERR_OFFSITE_UNSERIALIZABLE'],
      ['unserialisable error', 'unsendableError', undefined],
      ['error whose getter throws', 'trappedError', undefined],
    ] as const)('%s', async (_line, name, code) => {
      const wire = await unharmed();
      const error = await rejection(wire[name]());
      expect(error).toBeInstanceOf(Error);
      expect(error.code).toBe(code);
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('two sends during shutdown', async () => {
      const { site, wire } = await wireOf();
      const before = rejection(wire.never());
      const closing = site.close();
      const during = [rejection(wire.add(1, 1)), rejection(wire.add(2, 2)), rejection(site.ping())];
      for (const error of [await before, ...(await Promise.all(during))]) {
        expect(error).toMatchObject({ code: 'ERR_OFFSITE_CLOSED' });
      }
      await closing;
      expect(await rejection(wire.add(3, 3))).toMatchObject({ mayHaveRun: false });
    });

    test('abort before send, after send, after reply, twice', async () => {
      const wire = await unharmed();
      const bounded = (signal: AbortSignal) => withOptions(wire, { signal });
      expect(await rejection(bounded(AbortSignal.abort('before')).never())).toBe('before');
      const sent = new AbortController();
      const call = rejection(bounded(sent.signal).never());
      await wire.add(1, 1);
      sent.abort('after send');
      sent.abort('twice');
      expect(await call).toBe('after send');
      const replied = new AbortController();
      expect(await bounded(replied.signal).add(1, 2)).toBe(3);
      replied.abort('after reply');
      replied.abort('twice');
      expect(await wire.add(1, 1)).toBe(2);
    });

    test('`process.exit()` inside a call', async () => {
      const { exited, wire } = await wireOf();
      // A function that ends its process never returns, so the promise is looked at here.
      const error = await rejection(wire.exit(7) as unknown as PromiseLike<void>);
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', exitCode: 7, mayHaveRun: true });
      expect(await exited).toMatchObject({ code: 7, reason: 'crashed' });
    });

    test('deserialisation failure of a body (header must still answer)', async () => {
      const wire = await unharmed();
      // Of a class that only the site has registered.
      const error = await rejection(wire.strange());
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_UNDECODABLE' });
      expect(error.message).toMatch(/OnlyThere/);
      expect(await wire.add(1, 1)).toBe(2);
    });
  });

  test('stdout noise before the handshake', async () => {
    const site = fork({ ...shell('echo "Welcome to this machine!"; sleep 600'), timeout: 5_000 });
    const error = await rejection(site.ready);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'noise' });
    expect(error.message).toMatch(/Welcome to this machine!/);
  });

  test('ssh exits 255', async () => {
    const site = fork({ ...shell('echo "Connection closed by remote host" >&2; exit 255'), timeout: 5_000 });
    expect(await rejection(site.ready)).toMatchObject({ code: 'ERR_OFFSITE_FORK', exitCode: 255 });
  });

  test.skipIf(ssh.unavailable !== undefined)('ssh asks for a passphrase', async () => {
    if (ssh.unavailable !== undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'offsite-key-'));
    try {
      const key = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', key]);
      const options = [...ssh.optionsWithoutAccess, '-o', 'BatchMode=no', '-o', `IdentityFile=${key}`];
      const site = fork({ fork: 'ssh', host: ssh.host, sshOptions: options, timeout: BOUND });
      expect(await rejection(site.ready)).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'login' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(['sh', 'ssh'])('parent killed -9, child blocked: a site forked by %s', async (method) => {
    if (method === 'ssh' && ssh.unavailable !== undefined) return;
    const options = method === 'ssh' ? overSsh() : { fork: method };
    const plan = { sites: [{ options, spin: 'call' }], end: 'wait' };
    const program = spawn(process.execPath, [fixture('parent.js').pathname, JSON.stringify(plan)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    started.add(program.pid!);
    const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
    const pids = (JSON.parse(line) as { sites: { pid: number }[] }).sites.map(({ pid }) => pid);
    for (const pid of pids) started.add(pid);
    program.kill('SIGKILL');
    await waitUntilGone(pids, 5_000);
  });

  test('child killed -9, parent blocked', async () => {
    const site = fork({ fork: 'sh' });
    const wire = await site.link<Wire>(fixture('wire.js'));
    const pid = await wire.pid();
    const waiting = rejection(wire.never());
    const left = wire.add(1, 1).then((sum) => sum);
    expect(await left).toBe(2);
    process.kill(pid, 'SIGKILL');
    // This thread does nothing else while the process dies, so it hears of all at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    expect(await waiting).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', signal: 'SIGKILL' });
    await waitUntilGone([pid], 1_000);
  });
});

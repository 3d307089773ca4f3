import { afterEach, describe, expect, inject, test } from 'vitest';
import { howItEnded, reasonOf } from '../../actors/remote-manager/death.ts';
import { SiteOutput } from '../../actors/remote-manager/output.ts';
import { CUT_OFF } from '../../lib/engine/protocol.ts';
import {
  type ChildExit,
  functor,
  RemoteManager,
  type RemoteManagerOptions,
  type SiteExit,
  Supervisor,
} from '../../lib/index.ts';
import { closeTracked, fixture, type Misbehave, rejection, track } from '../support/sites.ts';

const ssh = inject('ssh');
const overSsh = (): RemoteManagerOptions => {
  if (ssh.unavailable !== undefined) throw new Error(ssh.unavailable);
  return { fork: 'ssh', host: ssh.host, sshOptions: ssh.options, ...littleHeap };
};
const littleHeap = { execArgv: ['--max-old-space-size=24'] };
type Method = [name: string, options: () => RemoteManagerOptions, remedy: RegExp];
const virtual: Method = [
  'virtual',
  () => ({ fork: 'virtual', resourceLimits: { maxOldGenerationSizeMb: 24 } }),
  /resourceLimits\.maxOldGenerationSizeMb/,
];
const processes: Method[] = [
  ['sh', () => ({ fork: 'sh', ...littleHeap }), /--max-old-space-size/],
  ...(ssh.unavailable === undefined ? [['ssh', overSsh, /--max-old-space-size/] as Method] : []),
];

const eater = async (options: RemoteManagerOptions) => {
  const site = track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options }));
  const exited = new Promise<SiteExit>((resolve) => site.on('exit', resolve));
  const work = await site.apply(
    functor(() => ({
      small() {
        const all: object[] = [];
        for (;;) all.push({ at: all.length });
      },
      huge: () => new Array(2 ** 26).fill(0.5).length,
      tooLarge: () => new ArrayBuffer(2 ** 46).byteLength,
      add: (a: number, b: number) => a + b,
    })),
  );
  return { work, exited };
};

afterEach(closeTracked);

describe.each([virtual, ...processes])('a site forked by %s', (_name, options, remedy) => {
  test('that holds too many small objects dies alone, and the error says of what', async () => {
    const { work, exited } = await eater(options());
    const error = await rejection(work.small());
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', reason: 'oom', mayHaveRun: true });
    expect(error.message).toMatch(/ran out of memory/);
    expect(error.message).toMatch(remedy);
    expect(await exited).toMatchObject({ reason: 'oom' });
    expect(await rejection(work.add(1, 1))).toMatchObject({ reason: 'oom', mayHaveRun: false });
  });

  test('that can not have a buffer so large says so to who called, and lives', async () => {
    const { work } = await eater(options());
    expect(await rejection(work.tooLarge())).toBeInstanceOf(RangeError);
    expect(await work.add(1, 1)).toBe(2);
  });
});

describe.each([virtual, ...processes])('a supervised site forked by %s', (_name, options) => {
  test('that runs out of memory is started again, and its supervisor knows of what it died', async () => {
    await using supervisor = new Supervisor({
      intensity: 9,
      children: [
        {
          id: 'eater',
          start: () => new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options() }),
          restart: 'transient',
        },
      ],
    });
    const child = supervisor.child('eater');
    const hungry = child.apply(
      functor(() => ({
        eat() {
          const all: object[] = [];
          for (;;) all.push({ at: all.length });
        },
        add: (a: number, b: number) => a + b,
      })),
    );
    expect(await hungry.add(1, 1)).toBe(2);
    const downs: ChildExit[] = [];
    child.on('down', (exit) => downs.push(exit));
    const error = await rejection(hungry.eat());
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', reason: 'oom', mayHaveRun: true });
    expect(await hungry.add(1, 2)).toBe(3);
    expect(downs).toMatchObject([{ cause: { reason: 'oom' } }]);
    expect(child.exit).toBe(downs[0]);
    // Not `normal`, after which a transient child stays away.
    expect(child.exit?.reason).toMatch(/^(crashed|killed)$/);
    expect(child.restarts).toBe(1);
  });
});

// In a worker thread this is the end of the whole process, by V8's own decision: docs/health.md says so.
describe.each(processes.slice(0, 1))('a site forked by %s', (_name, options) => {
  test('that makes one huge array dies alone', async () => {
    const { work, exited } = await eater(options());
    expect(await rejection(work.huge())).toMatchObject({ reason: 'oom' });
    expect(await exited).toMatchObject({ reason: 'oom' });
  });
});

test('a site that somebody killed may have been killed by the kernel, for want of memory', async () => {
  const site = track(new RemoteManager({ fork: 'sh' }));
  const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
  const error = await rejection(Promise.resolve(misbehave.killSelf()));
  expect(error.reason).toBe('crashed');
  expect(error.message).toMatch(
    /ended by SIGKILL; if nobody sent it, the kernel may have been out of memory/,
  );
});

describe('what a site printed', () => {
  const died = { exitCode: 255, signal: null, stderr: [] };
  const circumstances = ({ outOfMemory, cutOff }: SiteOutput) => ({ outOfMemory, cutOff, silent: undefined });

  test.each([
    ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'oom'],
    [
      'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory',
      'oom',
    ],
    ['# Fatal process out of memory: Zone', 'oom'],
    ['the table is out of memory cards', 'crashed'],
  ])('%s', (line, reason) => {
    const output = new SiteOutput('x', 'ignore', 'ignore');
    output.onStrayLine(line);
    // V8's trace behind it is longer than what is kept.
    for (let count = 0; count < 100; count++) output.onStrayLine(`${count}: 0x1234 [node]`);
    expect(reasonOf(died, circumstances(output))).toBe(reason);
  });

  test('before it ended itself tells that it was cut off', () => {
    const output = new SiteOutput('x', 'ignore', 'ignore');
    output.onStrayLine(CUT_OFF);
    const reason = reasonOf(died, circumstances(output));
    expect(reason).toBe('unreachable');
    expect(howItEnded({ ...died, reason })).toMatch(/^ended itself, because it was cut off/);
  });

  test('counts only past the link, and if the site did not end in order', () => {
    const output = new SiteOutput('x', 'ignore', 'ignore');
    output.write(2, 'FATAL ERROR: out of memory\n');
    expect(output.outOfMemory).toBe(false);
    const full = { outOfMemory: true, cutOff: false, silent: undefined };
    expect(reasonOf({ ...died, exitCode: 0 }, full)).toBe('crashed');
    expect(howItEnded({ ...died, signal: 'SIGTERM' })).toBe('was ended by SIGTERM');
  });
});

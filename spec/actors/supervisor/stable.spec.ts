import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Child,
  functor,
  monitor,
  NoChildError,
  OptionError,
  RemoteManager,
  SiteCrashedError,
  Supervisor,
  TimeoutError,
  withOptions,
} from '../../../lib/index.ts';
import type { Wire } from '../../support/lines.ts';
import { type Calc, fixture, type Misbehave, rejection } from '../../support/sites.ts';

const silent = { stdout: 'ignore', stderr: 'ignore' } as const;

describe.each(['virtual', 'sh'])('A proxy of a module in a supervised %s site', (fork) => {
  let supervisor: Supervisor;
  let child: Child<RemoteManager>;

  const start = () => new RemoteManager({ fork, ...silent });

  beforeEach(async () => {
    supervisor = new Supervisor({ intensity: 100, children: [{ id: 'calc', start }] });
    child = supervisor.child('calc');
    await supervisor.ready;
  });

  afterEach(async () => {
    await supervisor.close();
  });

  /** Ends the site from within, and waits until the supervisor knows. */
  const crash = async () => {
    const down = new Promise((resolve) => child.on('down', resolve));
    void child.current!.link<Wire>(fixture('wire.js')).exit(7);
    await down;
  };

  test('is usable at once, and gives itself when it is awaited', async () => {
    const calc = child.link<Calc>(fixture('calc.js'));
    expect(await calc.add(1, 2)).toBe(3);
    const same = await calc;
    expect(await same.add(2, 3)).toBe(5);
  });

  test('goes on working when the site has been started again', async () => {
    const calc = child.link<Calc>(fixture('calc.js'));
    expect(await calc.add(1, 2)).toBe(3);
    await crash();
    expect(child.state).not.toBe('up');
    // The first of them is made while there is no site, and the last when there is one again.
    expect(await Promise.all([calc.add(1, 2), calc.add(3, 4)])).toEqual([3, 7]);
    expect(await calc.add(5, 6)).toBe(11);
    expect(child.restarts).toBe(1);
  });

  test('rejects the calls that were under way when the site died, and says that they may have run', async () => {
    const wire = child.link<Wire>(fixture('wire.js'));
    await wire.add(1, 2);
    const under = rejection(wire.never());
    await wire.add(1, 2);
    await crash();
    const error = await under;
    expect(error).toBeInstanceOf(SiteCrashedError);
    expect(error.mayHaveRun).toBe(true);
  });

  test('links its module before the first call, also if there was no site when it was made', async () => {
    await crash();
    const calc = child.link<Calc>(fixture('calc.js'));
    expect(await calc.add(1, 2)).toBe(3);
  });

  test('carries what hangs on a result that is not there yet, through the time without a site', async () => {
    const wire = child.link<Wire>(fixture('wire.js'));
    await crash();
    const account = wire.account(10);
    expect(await account.add(5)).toBe(15);
    expect(await wire.account(1).balance).toBe(1);
    // As an argument it is its value.
    expect(await wire.add(wire.add(1, 2), 4)).toBe(7);
  });

  test('gives the value to another site as it gives a result, when it comes', async () => {
    const other = new RemoteManager({ fork, ...silent });
    try {
      const wire = child.link<Wire>(fixture('wire.js'));
      await crash();
      const later = wire.add(1, 2);
      expect(await other.link<Wire>(fixture('wire.js')).add(later, 4)).toBe(7);
    } finally {
      await other.close();
    }
  });

  test('can be given to another site, which reaches the new site through it as well', async () => {
    const other = new RemoteManager({ fork, ...silent });
    try {
      const wire = child.link<Wire>(fixture('wire.js'));
      const far = other.link<Wire>(fixture('wire.js'));
      expect(await far.call(wire.add as unknown as (a: number, b: number) => number, 1, 2)).toBe(3);
      await crash();
      expect(await far.call(wire.add as unknown as (a: number, b: number) => number, 3, 4)).toBe(7);
    } finally {
      await other.close();
    }
  });

  test('is the module itself when it comes home', async () => {
    const wire = child.link<Wire>(fixture('wire.js'));
    const again = () => wire.same(wire, child.current!.link<Wire>(fixture('wire.js')));
    expect(await again()).toBe(true);
    await crash();
    await child.whenUp();
    expect(await again()).toBe(true);
  });

  test('makes objects of classes in the site that there is', async () => {
    const calc = child.link<Calc>(fixture('calc.js'));
    await crash();
    const counter = await new calc.Counter(5);
    expect(await counter.increment()).toBe(6);
  });

  test('makes a call again when its site dies, as often as its caller said', async () => {
    const wire = child.link<Wire>(fixture('wire.js'));
    const first = child.current;
    const told: number[] = [];
    // Dies in the first site, and answers in the second.
    const dieOnce = (pid: number) => {
      told.push(pid);
      return told.length > 1;
    };
    const answer = await withOptions(wire, { retry: 1 }).dieUnless(dieOnce);
    expect(answer).toBe('alive');
    expect(told.length).toBe(2);
    expect(child.current).not.toBe(first);
    expect(child.restarts).toBe(1);
  });

  test('rejects with the site’s death when it has died as often as that', async () => {
    const wire = withOptions(child.link<Wire>(fixture('wire.js')), { retry: 2 });
    let times = 0;
    const error = await rejection(
      wire.dieUnless(() => {
        times++;
        return false;
      }),
    );
    expect(error).toBeInstanceOf(SiteCrashedError);
    expect(times).toBe(3);
  });

  test('waits for the next site, with the calls that are made again, while one is being closed', async () => {
    const wire = child.link<Wire>(fixture('wire.js'));
    const first = child.current!;
    await wire.add(1, 2);
    let asked = 0;
    const again = withOptions(wire, { retry: 1 }).dieUnless(() => {
      if (asked++ > 0) return true;
      void first.close();
      return new Promise<boolean>(() => {});
    });
    expect(await again).toBe('alive');
    const second = child.current!;
    expect(second).not.toBe(first);
    void second.close();
    expect(child.current).toBe(second);
    expect(await child.link<Wire>(fixture('wire.js')).add(1, 2)).toBe(3);
    expect(child.current).not.toBe(second);
  });

  test('does not make a call again that failed by itself', async () => {
    const strange = withOptions(child.link<Misbehave>(fixture('misbehave.js')), { retry: 5 });
    expect(await rejection(strange.throwQuota())).toMatchObject({ name: 'QuotaError' });
    expect(child.restarts).toBe(0);
  });

  test('does not make a call again that was answered with the death of another site', async () => {
    const wire = withOptions(child.link<Wire>(fixture('wire.js')), { retry: 5 });
    let times = 0;
    const fail = () => {
      times++;
      throw new SiteCrashedError('Elsewhere.', { exitCode: 1, signal: null, stderr: [] }, true);
    };
    expect(await rejection(wire.call(fail))).toBeInstanceOf(SiteCrashedError);
    expect({ times, restarts: child.restarts }).toEqual({ times: 1, restarts: 0 });
  });

  test('does what a functor does, in each site anew', async () => {
    const where = child.apply(functor({ import: {} }, () => ({ add: (a: number, b: number) => a + b })));
    expect(await where.add(1, 2)).toBe(3);
    await crash();
    expect(await where.add(3, 4)).toBe(7);
    expect(await child.ping()).toBeGreaterThan(0);
  });

  test('rejects when its module can not be linked, and tries again at the next call', async () => {
    const wrong = child.link<Calc>(fixture('missing-dependency.js'));
    const first = await rejection(wrong.add(1, 2));
    const second = await rejection(wrong.add(1, 2));
    expect(second.message).toBe(first.message);
    expect(child.restarts).toBe(0);
  });
});

describe('A proxy of a module in a supervised site', () => {
  test('makes a call again in the next site, when one was given up and is not gone yet', async () => {
    const start = () =>
      new RemoteManager({ fork: 'sh', heartbeat: 100, unreachableTimeout: 1_000, ...silent });
    await using supervisor = new Supervisor({ intensity: 9, children: [{ id: 'calc', start }] });
    const child = supervisor.child('calc');
    const first = await child.whenUp();
    const wire = child.link<Wire>(fixture('wire.js'));
    const pid = await wire.pid();
    process.kill(pid, 'SIGSTOP');
    const again = withOptions(wire, { retry: 1 }).pid();
    const dead = await rejection(wire.pid());
    expect(dead).toMatchObject({ reason: 'unreachable' });
    // What comes after the bad news goes to the next one, too.
    expect((await child.whenUp({ except: first })).pid).not.toBe(pid);
    expect(await wire.pid()).toBe(child.current!.pid);
    expect(await again).toBe(child.current!.pid);
    expect(child.restarts).toBe(1);
  });

  const broken = () => new RemoteManager({ fork: ['false'], ...silent });

  test('rejects after its bound when no site comes', async () => {
    const started = { times: 0 };
    await using supervisor = new Supervisor({
      intensity: 1_000,
      backoff: { initial: 60_000, max: 60_000 },
      children: [
        {
          id: 'calc',
          // Only the first one works.
          start: () => (started.times++ === 0 ? new RemoteManager({ fork: 'virtual', ...silent }) : broken()),
        },
      ],
    });
    await supervisor.ready;
    const child = supervisor.child('calc');
    const down = new Promise((resolve) => child.on('down', resolve));
    void child.current!.link<Wire>(fixture('wire.js')).exit(7);
    await down;
    const calc = withOptions(child.link<Calc>(fixture('calc.js')), { timeout: 50 });
    expect(await rejection(calc.add(1, 2))).toBeInstanceOf(TimeoutError);
    const giveUp = new AbortController();
    const given = rejection(withOptions(calc, { signal: giveUp.signal }).add(1, 2));
    giveUp.abort(new Error('enough'));
    expect((await given).message).toBe('enough');
  });

  test('rejects once its supervisor has ended, and does not hang', async () => {
    const supervisor = new Supervisor({
      children: [{ id: 'calc', start: () => new RemoteManager({ fork: 'virtual', ...silent }) }],
    });
    await supervisor.ready;
    const calc = supervisor.child('calc').link<Calc>(fixture('calc.js'));
    expect(await calc.add(1, 2)).toBe(3);
    await supervisor.close();
    expect(await rejection(calc.add(1, 2))).toBeInstanceOf(NoChildError);
  });

  test('goes down for who monitors it when its child is gone, and not when that is started again', async () => {
    const supervisor = new Supervisor({
      intensity: 10,
      children: [{ id: 'calc', start: () => new RemoteManager({ fork: 'virtual', ...silent }) }],
    });
    await supervisor.ready;
    const child = supervisor.child('calc');
    const wire = child.link<Wire>(fixture('wire.js'));
    const told: string[] = [];
    const down = monitor(wire).then(({ cause }) => told.push((cause as Error).name));
    const up = new Promise((resolve) => child.on('up', resolve));
    wire.exit(7).catch(() => {});
    await up;
    expect(told).toEqual([]);
    await supervisor.close();
    await down;
    expect(told).toEqual(['NoChildError']);
  });

  test('is the only one whose calls can be made again', async () => {
    await using site = new RemoteManager({ fork: 'virtual', ...silent });
    const calc = site.link<Calc>(fixture('calc.js'));
    expect(() => withOptions(calc, { retry: 1 })).toThrow(OptionError);
  });
});

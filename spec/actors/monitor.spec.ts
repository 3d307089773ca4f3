import { afterEach, describe, expect, inject, test } from 'vitest';
import { createActor, createMachine, fromCallback, fromPromise } from 'xstate';
import {
  functor,
  link,
  monitor,
  RemoteManager,
  type RemoteManagerOptions,
  Supervisor,
} from '../../lib/index.ts';
import type { Wire } from '../support/lines.ts';
import { closeTracked, fixture, rejection, track } from '../support/sites.ts';

const ssh = inject('ssh');
const methods: [string, () => RemoteManagerOptions][] = [
  ['virtual', () => ({ fork: 'virtual' })],
  ['sh', () => ({ fork: 'sh' })],
];
if (ssh.unavailable === undefined) {
  methods.push(['ssh', () => ({ fork: 'ssh', host: ssh.host, sshOptions: ssh.options })]);
}
const start = (options: RemoteManagerOptions) =>
  track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options }));
const wireOf = async (options: RemoteManagerOptions) => {
  const site = start(options);
  const wire = await site.apply(
    functor(() => ({
      add: (a: number, b: number) => a + b,
      never: () => new Promise<void>(() => {}),
      exit(code: number): void {
        process.exit(code);
      },
      // A function is reached, and not copied.
      account: (balance: number) => (amount: number) => balance + amount,
    })),
  );
  return { site, wire };
};
const siteWithOneBelow = async (options: RemoteManagerOptions = {}) => {
  const site = start({ fork: 'sh', ...options });
  const wire = await site.link<Wire>(fixture('wire.js'));
  return { site, wire, below: await wire.siteBelow() };
};
const waiting = fromCallback(() => {});

afterEach(closeTracked);

test('one signal may end as many monitors, fault streams and waits as like, without a warning', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  const site = start({ fork: 'virtual' });
  await using supervisor = new Supervisor({
    children: [{ id: 'never', start: () => new Promise<never>(() => {}) }],
  });
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const all = Array.from({ length: 12 }, () => [
    rejection(monitor(site, { signal })),
    site.faults({ signal }).next(),
    rejection(supervisor.child('never').whenUp({ signal })),
    rejection(site.ping({ signal }).then(() => monitor(site, { signal }))),
  ]).flat();
  giveUp.abort();
  await Promise.all(all);
  await new Promise(setImmediate);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

describe.each(methods)('a monitor of a site forked by %s', (_name, options) => {
  test('tells of the manager, of a module and of an object there, that they are down, and why', async () => {
    const { site, wire } = await wireOf(options());
    const account = await wire.account(1);
    const targets = [site, wire, account] as const;
    const downs = targets.map((target) => monitor(target));
    // What is only watched is idle.
    await wire.add(1, 1);
    expect([site.health.state, site.inFlight]).toEqual(['idle', 0]);
    void wire.exit(7);
    expect(await Promise.all(downs)).toEqual(
      targets.map((target) =>
        expect.objectContaining({
          target,
          reason: 'crashed',
          cause: expect.objectContaining({ code: 'ERR_OFFSITE_CRASHED', exitCode: 7 }),
        }),
      ),
    );
    // It tells again whoever comes later.
    expect(await Promise.all(targets.map((target) => monitor(target)))).toMatchObject(
      targets.map(() => ({ reason: 'crashed' })),
    );
  });
});

describe('a monitor', () => {
  test.each([
    ['a site', {}],
    ['a detached site', { detach: true }],
  ])('tells of a site behind %s, too', async (_what, options) => {
    const { site, wire, below } = await siteWithOneBelow(options);
    const account = await below.account(1);
    const downs = [monitor(below), monitor(account)];
    expect(await account.add(1)).toBe(2);
    void below.exit(3);
    for (const down of await Promise.all(downs)) {
      expect(down).toMatchObject({ reason: 'crashed', cause: { code: 'ERR_OFFSITE_CRASHED', exitCode: 3 } });
    }
    expect([site.state, await wire.add(1, 1)]).toEqual(['ready', 2]);
    const later = await rejection(account.add(1));
    expect(later).toMatchObject({ code: 'ERR_OFFSITE_CRASHED' });
  });

  test('of something in a site that was closed says so', async () => {
    const { site, wire } = await wireOf({ fork: 'virtual' });
    const downs = [monitor(site), monitor(wire)];
    await site.close();
    expect(await Promise.all(downs)).toMatchObject([
      { reason: 'closed', cause: { code: 'ERR_OFFSITE_CLOSED' } },
      { reason: 'closed', cause: { code: 'ERR_OFFSITE_CLOSED' } },
    ]);
  });

  test('of a site that can not be started says so', async () => {
    const site = start({ fork: ['sh', '-c', 'exit 3'] });
    expect(await monitor(site)).toMatchObject({ reason: 'fork-failed', cause: { code: 'ERR_OFFSITE_FORK' } });
  });

  test('of an actor tells how that ended', async () => {
    const cause = new Error('nothing works');
    const done = createActor(fromPromise(async () => 1)).start();
    const failed = createActor(fromPromise(() => Promise.reject(cause))).start();
    const stopped = createActor(waiting).start();
    const all = [done, failed, stopped].map((actor) => monitor(actor));
    stopped.stop();
    const ends = [{ reason: 'done' }, { reason: 'failed', cause }, { reason: 'stopped' }];
    expect(await Promise.all(all)).toMatchObject(ends);
    expect(await Promise.all([done, failed, stopped].map((actor) => monitor(actor)))).toMatchObject(ends);
  });

  test('that was given up rejects with the reason and leaves nothing behind', async () => {
    const { site, wire, below } = await siteWithOneBelow();
    const actor = createActor(waiting).start();
    const controller = new AbortController();
    const { signal } = controller;
    const given = [site, wire, below, actor].map((target) => rejection(monitor(target, { signal })));
    await wire.add(1, 1);
    controller.abort('enough');
    expect(await Promise.all(given)).toEqual(Array(4).fill('enough'));
    expect(await rejection(monitor(site, { signal }))).toBe('enough');
    actor.stop();
  });

  test.each([null, 1, {}, () => {}])('of %j is refused', (target) => {
    expect(() => monitor(target as unknown as RemoteManager)).toThrow(TypeError);
  });
});

describe('a link', () => {
  test('ends a manager whose other failed, with that as the cause, either way round', async () => {
    for (const order of [0, 1]) {
      const [dying, other] = [await wireOf({ fork: 'sh' }), await wireOf({ fork: 'virtual' })];
      const pair = [dying.site, other.site] as const;
      link(pair[order]!, pair[1 - order]!);
      const call = rejection(other.wire.never());
      await other.wire.add(1, 1);
      process.kill(dying.site.pid!, 'SIGKILL');
      expect(await call).toMatchObject({
        code: 'ERR_OFFSITE_CLOSED',
        mayHaveRun: true,
        cause: { code: 'ERR_OFFSITE_CRASHED', signal: 'SIGKILL' },
      });
      expect(await monitor(other.site)).toMatchObject({ reason: 'closed' });
    }
  });

  test('goes through actors and references', async () => {
    const { site, wire } = await wireOf({ fork: 'virtual' });
    const last = await wireOf({ fork: 'virtual' });
    const actor = createActor(waiting).start();
    link(wire, actor);
    const failing = createActor(
      fromPromise(() => monitor(actor).then(() => Promise.reject(new Error('too')))),
    );
    link(failing.start(), last.wire);
    void wire.exit(1);
    expect(await monitor(actor)).toMatchObject({ reason: 'stopped' });
    expect(await monitor(failing)).toMatchObject({ reason: 'failed' });
    expect(await monitor(site)).toMatchObject({ reason: 'crashed' });
    expect(await rejection(last.wire.add(1, 1))).toMatchObject({ code: 'ERR_OFFSITE_RELEASED' });
    expect(await last.site.ping()).toBeGreaterThan(0);
  });

  test('goes on through what is ended by it', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => wireOf({ fork: 'virtual' })));
    link(first!.site, second!.site);
    link(second!.site, third!.site);
    void first!.wire.exit(1);
    expect(await monitor(third!.site)).toMatchObject({
      reason: 'closed',
      cause: {
        code: 'ERR_OFFSITE_CLOSED',
        cause: { code: 'ERR_OFFSITE_CLOSED', cause: { code: 'ERR_OFFSITE_CRASHED' } },
      },
    });
  });

  test('does nothing when one ends in order, or once it is undone', async () => {
    const [first, second, third] = [1, 2, 3].map(() => createActor(waiting).start());
    link(first!, second!);
    first!.stop();
    await monitor(first!);
    expect(second!.getSnapshot().status).toBe('active');

    const { wire, site } = await wireOf({ fork: 'virtual' });
    const bond = link(site, third!);
    bond.unlink();
    void wire.exit(1);
    await monitor(site);
    expect(third!.getSnapshot().status).toBe('active');
    second!.stop();
    third!.stop();
  });

  test('with what can not be ended is refused', async () => {
    const { wire } = await wireOf({ fork: 'virtual' });
    const parent = createActor(createMachine({ invoke: { id: 'child', src: waiting } })).start();
    const other = createActor(waiting).start();
    const { child } = parent.getSnapshot().children;
    expect(() => link(other, child!)).toThrow(/createActor/);
    expect(() => link(wire.add, other)).toThrow(/whole reference/);
    expect(() => link(other, {} as unknown as RemoteManager)).toThrow(TypeError);
    other.stop();
    parent.stop();
  });
});

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { type AnyActorRef, assign, createActor, type InspectionEvent, setup } from 'xstate';
import {
  byReference,
  createRemoteActor,
  fromSite,
  moveActor,
  persist,
  RemoteManager,
} from '../../../lib/index.ts';
import { collectedUntil } from '../../support/lines.ts';
import { fixture, track } from '../../support/sites.ts';
import { ACTORS, type Actors, failure, overSites, until } from './over-sites.ts';

const folder = mkdtempSync(join(tmpdir(), 'offsite-actors-'));
afterAll(() => rmSync(folder, { recursive: true }));
let marks = 0;
/** Resolves when an actor, which was started before, is heard of. */
const heard = (actor: object): Promise<void> =>
  new Promise((resolve) => {
    (actor as AnyActorRef).subscribe({ next: () => resolve(), error: () => {} });
  });
const newMark = () => join(folder, `${++marks}`);

overSites('the life of a remote actor', (bench) => {
  test('ends when the machine that invoked it leaves the state', async () => {
    const mark = newMark();
    const machine = setup({
      actors: { endless: fromSite<Actors, 'endless'>(bench.site(), ACTORS, 'endless') },
    }).createMachine({
      initial: 'working',
      states: {
        working: { invoke: { src: 'endless', id: 'endless', input: { mark } }, on: { stop: 'idle' } },
        idle: {},
      },
    });
    const parent = createActor(machine).start();
    await heard(parent.getSnapshot().children.endless!);
    parent.send({ type: 'stop' });
    await vi.waitFor(() => expect(existsSync(mark)).toBe(true));
    expect(bench.site().inFlight).toBe(0);
    parent.stop();
  });

  test('ends when it is stopped, also before its site was ready', async () => {
    const site = bench.fork();
    const actor = createRemoteActor<Actors, 'endless'>(site, ACTORS, 'endless', {
      input: { mark: newMark() },
    });
    actor.stop();
    expect(actor.getSnapshot().status).toBe('stopped');
    await site.ready;
    await vi.waitFor(() => expect(site.inFlight).toBe(0));
  });

  test('ends with its owner, if that was in a site that is gone', async () => {
    const owner = bench.fork();
    const site = bench.fork();
    const mark = newMark();
    // Its owner is in a site, which reaches the other site through this program.
    const reach = await owner.link<typeof import('../../support/fixtures/owner.ts')>(fixture('owner.ts'));
    await reach.own(byReference({ link: (url: string) => site.link(url) }), ACTORS.href, mark);
    await owner.close();
    await vi.waitFor(() => expect(existsSync(mark)).toBe(true));
  });

  test('ends when its site is closed: by itself it is stopped, and a machine is told', async () => {
    const site = bench.fork();
    const alone = createRemoteActor<Actors, 'counter'>(site, ACTORS, 'counter');
    const machine = setup({
      types: { context: {} as { error: unknown } },
      actors: { counter: fromSite<Actors, 'counter'>(site, ACTORS, 'counter') },
    }).createMachine({
      context: { error: undefined },
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: 'counter',
            input: {},
            onError: { target: 'failed', actions: assign({ error: ({ event }) => event.error }) },
          },
        },
        failed: {},
      },
    });
    const parent = createActor(machine).start();
    await until(alone, ({ context }) => context !== undefined);
    const completed = new Promise<void>((complete) => alone.subscribe({ complete }));
    await site.close();
    await completed;
    expect(alone.getSnapshot().status).toBe('stopped');
    const failed = await until(parent, (snapshot) => snapshot.value === 'failed');
    expect(failed.context.error).toMatchObject({ code: 'ERR_OFFSITE_CLOSED' });
    parent.stop();
  });

  test('goes on in another site, with its state, and gets what was sent meanwhile', async () => {
    const actor = createRemoteActor<Actors, 'counter'>(bench.site(), ACTORS, 'counter', {
      id: 'moving',
      input: { from: 1 },
    });
    for (let i = 0; i < 10; i++) actor.send({ type: 'add', by: 1 });
    const moving = moveActor(actor, bench.fork());
    actor.send({ type: 'add', by: 100 });
    const moved = await moving;
    moved.send({ type: 'add', by: 1_000 });
    expect((await until(moved, ({ context }) => context?.count === 1_111)).value).toBe('counting');
    expect([actor.getSnapshot().status, moved.id]).toEqual(['stopped', 'moving']);
    const taken = await persist(moved);
    expect(taken).toMatchObject({ status: 'active', context: { count: 1_111 } });
    const third = createRemoteActor<Actors, 'counter'>(bench.site(), ACTORS, 'counter', { snapshot: taken });
    expect((await until(third, ({ context }) => context !== undefined)).context).toEqual({ count: 1_111 });
    moved.stop();
    third.stop();
    await expect(moveActor(third, bench.site())).rejects.toMatchObject({ code: 'ERR_OFFSITE_OPTION' });
  });

  test('goes on with the state that was taken last when its parent is restored, else from its input', async () => {
    const machine = setup({
      actors: { counter: fromSite<Actors, 'counter'>(bench.site(), ACTORS, 'counter') },
    }).createMachine({ invoke: { src: 'counter', id: 'counter', input: { from: 5 } } });
    const parent = createActor(machine).start();
    const counter = (of: typeof parent) => of.getSnapshot().children.counter!;
    const first = counter(parent);
    first.send({ type: 'add', by: 1 });
    await until(first, ({ context }) => (context as { count: number } | undefined)?.count === 6);
    const without = createActor(machine, { snapshot: parent.getPersistedSnapshot() }).start();
    await until(counter(without), ({ context }) => (context as { count: number } | undefined)?.count === 5);
    await persist(first);
    const restored = createActor(machine, { snapshot: parent.getPersistedSnapshot() }).start();
    await until(counter(restored), ({ context }) => (context as { count: number } | undefined)?.count === 6);
    for (const actor of [parent, without, restored]) actor.stop();
  });

  test('is seen by the inspector of the root, with all that happens below it', async () => {
    const events: InspectionEvent[] = [];
    const actor = createRemoteActor<Actors, 'keeper'>(bench.site(), ACTORS, 'keeper', {
      inspect: (event) => events.push(event),
    });
    const name = `inspected by ${bench.virtual ? 'one' : 'another'}`;
    actor.send({ type: 'spawn', name });
    const made = () =>
      events.find(
        ({ type, actorRef }) =>
          type === '@xstate.actor' && (actorRef as unknown as { id: string }).id === name,
      );
    await vi.waitFor(() => expect(made()).toBeDefined());
    expect(made()!.rootId).toBe(actor.sessionId);
    expect((made()!.actorRef as unknown as { _parent: unknown })._parent).toBe(actor);
    expect(made()!.actorRef.sessionId).toMatch(/@/);
    await vi.waitFor(() =>
      expect(events).toContainEqual(
        expect.objectContaining({
          type: '@xstate.microstep',
          event: { type: 'spawn', name },
          actorRef: actor,
        }),
      ),
    );
    actor.stop();
  });

  test('leaves nothing in the tables of its site', async () => {
    // It takes no more than a few calls and references at once, so what is left would end this long before its end.
    const site = bench.fork({ limits: { references: 40, calls: 40 } });
    const run = async (finishes: boolean): Promise<WeakRef<object>> => {
      const actor = createRemoteActor<Actors, 'counter'>(site, ACTORS, 'counter');
      actor.send({ type: 'add', by: 1 });
      await until(actor, ({ context }) => context?.count === 1);
      if (finishes) actor.send({ type: 'finish' });
      else actor.stop();
      const { status } = await until(actor, (each) => each.status !== 'active');
      expect(status).toBe(finishes ? 'done' : 'stopped');
      return new WeakRef(actor);
    };
    for (let round = 0; round < 15; round++) {
      const ended = [await run(true), await run(false), await run(true), await run(false)];
      await collectedUntil(() => ended.every((actor) => actor.deref() === undefined));
      await site.ping();
    }
    expect(site.inFlight).toBe(0);
  });
});

test('an actor whose site is killed ends with an error that its machine sees, and is started again by it', async () => {
  let site = track(new RemoteManager({ fork: 'sh', stderr: 'ignore' }));
  const sites = [site];
  const machine = setup({
    types: { context: {} as { errors: unknown[] }, events: {} as { type: 'die' } },
    actors: {
      counter: fromSite<Actors, 'counter'>(() => site, ACTORS, 'counter', { onDeadLetter: () => {} }),
    },
  }).createMachine({
    context: { errors: [] },
    initial: 'working',
    states: {
      working: {
        invoke: {
          id: 'counter',
          src: 'counter',
          input: { from: 7 },
          onError: {
            target: 'working',
            reenter: true,
            actions: assign({
              errors: ({ context, event }) => {
                site = track(new RemoteManager({ fork: 'sh' }));
                sites.push(site);
                return [...context.errors, event.error];
              },
            }),
          },
        },
      },
    },
  });
  const parent = createActor(machine).start();
  const counter = () => parent.getSnapshot().children.counter!;
  await until(counter(), ({ context }) => context !== undefined);
  counter().send({ type: 'die' });
  await until(parent, ({ context }) => context.errors.length === 1);
  expect(parent.getSnapshot().context.errors).toMatchObject([
    { code: 'ERR_OFFSITE_CRASHED', signal: 'SIGKILL' },
  ]);
  expect((await until(counter(), ({ context }) => context !== undefined)).context).toEqual({ count: 7 });
  parent.stop();
  await Promise.all(sites.map((each) => each.close()));
});

test('an actor without a parent whose site is killed ends with that error', async () => {
  const site = track(new RemoteManager({ fork: 'sh', stderr: 'ignore' }));
  const actor = createRemoteActor<Actors, 'counter'>(site, ACTORS, 'counter', { onDeadLetter: () => {} });
  await until(actor, ({ context }) => context !== undefined);
  const failed = failure(actor);
  process.kill(site.pid!, 'SIGKILL');
  expect(await failed).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', signal: 'SIGKILL', mayHaveRun: true });
  expect(actor.getSnapshot()).toMatchObject({ status: 'error' });
});

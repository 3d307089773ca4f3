import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';
import {
  type ActorRefFrom,
  assign,
  createActor,
  type EventObject,
  type PromiseActorLogic,
  setup,
  toPromise,
} from 'xstate';
import { createRemoteActor, type DeadLetter, fromSite, RemoteManager } from '../../../lib/index.ts';
import { track } from '../../support/sites.ts';
import { ACTORS, type Actors, emitted, failure, overSites, until } from './over-sites.ts';

overSites('a remote actor', (bench) => {
  const counter = (options: Parameters<typeof createRemoteActor<Actors, 'counter'>>[3] = {}) =>
    createRemoteActor<Actors, 'counter'>(bench.site(), ACTORS, 'counter', options);

  test('of a machine takes input and events, and gives snapshots, emitted events and output', async () => {
    const actor = counter({ input: { from: 5 } });
    expect(actor.getSnapshot()).toMatchObject({ status: 'active', context: undefined });
    expect(actor.getSnapshot().matches('counting')).toBe(false);
    const counts: unknown[] = [];
    const seen: unknown[] = [];
    actor.on('counted', ({ count }) => counts.push(count));
    actor.subscribe(({ context }) => seen.push(context?.count));
    actor.send({ type: 'add', by: 1 });
    actor.send({ type: 'add', by: 2 });
    const { value, context, tags, ...snapshot } = await until(actor, (each) => each.context?.count === 8);
    expect([value, context, tags]).toEqual(['counting', { count: 8 }, new Set(['open'])]);
    expect([snapshot.matches, 'can' in snapshot]).toEqual([undefined, false]);
    const now = actor.getSnapshot();
    expect([now.matches('counting'), now.matches('finished'), now.hasTag('open')]).toEqual([
      true,
      false,
      true,
    ]);
    actor.send({ type: 'finish' });
    expect(await toPromise(actor)).toBe(8);
    expect(counts).toEqual([6, 8]);
    expect(seen).toEqual([5, 6, 8, 8]);
  });

  test('of a promise gives what it resolves to, or its error with class, code and site', async () => {
    const actor = createRemoteActor<Actors, 'doubled'>(bench.site(), ACTORS, 'doubled', { input: 21 });
    expect(await toPromise(actor)).toBe(42);
    const error = await failure(createRemoteActor<Actors, 'rejected'>(bench.site(), ACTORS, 'rejected'));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      message: 'It was too much.',
      code: 'ERR_TOO_MUCH',
      site: bench.site().name,
    });
  });

  test('of a transition function, an observable and a callback does what a local one does', async () => {
    const toggle = createRemoteActor<Actors, 'toggle'>(bench.site(), ACTORS, 'toggle');
    toggle.send({ type: 'toggle' });
    expect((await until(toggle, ({ context }) => context?.on === true)).status).toBe('active');
    toggle.stop();
    const below = createRemoteActor<Actors, 'below'>(bench.site(), ACTORS, 'below', { input: 4 });
    const seen: unknown[] = [];
    below.subscribe(({ context }) => seen.push(context));
    await until(below, ({ status }) => status === 'done');
    expect(seen).toEqual([undefined, 0, 1, 2, 3, 3]);
    const echo = createRemoteActor<Actors, 'echo'>(bench.site(), ACTORS, 'echo');
    const said = emitted(echo, 'said');
    echo.send({ type: 'say', what: { map: new Map([[1n, new Date(0)]]) } });
    expect(await said).toEqual({ type: 'said', what: { map: new Map([[1n, new Date(0)]]) } });
    echo.stop();
  });

  test('is invoked by a machine, which gets its snapshots, what it sends, its end and its output', async () => {
    const seen: string[] = [];
    const machine = setup({
      types: {
        context: {} as { output: unknown; told: unknown },
        events: {} as EventObject & { count?: number },
      },
      actors: { counter: fromSite<Actors, 'counter'>(() => bench.site(), ACTORS, 'counter') },
    }).createMachine({
      context: { output: undefined, told: undefined },
      initial: 'counting',
      states: {
        counting: {
          invoke: {
            id: 'remote',
            src: 'counter',
            input: { from: 10 },
            onSnapshot: { actions: ({ event }) => seen.push(`${event.snapshot.context?.count}`) },
            onDone: { target: 'done', actions: assign({ output: ({ event }) => event.output }) },
          },
          entry: ({ self }) => {
            queueMicrotask(() => {
              const { remote } = self.getSnapshot().children as Record<
                string,
                { send(event: EventObject): void }
              >;
              remote!.send({ type: 'add', by: 1 } as EventObject);
              remote!.send({ type: 'tell' });
              remote!.send({ type: 'finish' });
            });
          },
          on: { told: { actions: assign({ told: ({ event }) => event.count }) } },
        },
        done: { type: 'final' },
      },
    });
    const parent = createActor(machine).start();
    await until(parent, ({ status }) => status === 'done');
    expect(parent.getSnapshot().context).toEqual({ output: 11, told: 11 });
    expect(seen).toEqual(['undefined', '10', '11', '11']);
  });

  test('is spawned by a machine, and its error is told where XState tells it', async () => {
    const logic = fromSite<Actors, 'counter'>(bench.site(), ACTORS, 'counter');
    const machine = setup({ types: { events: {} as EventObject }, actors: { logic } }).createMachine({
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: 'logic',
            id: 'one',
            input: {},
            onError: { target: 'failed', actions: ({ event }) => errors.push(event.error) },
          },
          entry: ({ self }) => queueMicrotask(() => self.getSnapshot().children.one?.send({ type: 'fail' })),
        },
        failed: {},
      },
    });
    const errors: unknown[] = [];
    const parent = createActor(machine).start();
    await until(parent, (snapshot) => snapshot.matches('failed'));
    expect(errors[0]).toBeInstanceOf(RangeError);
    expect(errors[0]).toMatchObject({ code: 'ERR_TOO_FAR' });
    parent.stop();
    const spawner = setup({
      types: { context: {} as { ref: ActorRefFrom<typeof logic> } },
      actors: { logic },
    }).createMachine({
      context: ({ spawn }) => ({ ref: spawn('logic', { id: 'spawned', input: { from: 1 } }) }),
    });
    const actor = createActor(spawner).start();
    const { ref } = actor.getSnapshot().context;
    expect((await until(ref, ({ context }) => context !== undefined)).context).toEqual({ count: 1 });
    actor.stop();
    expect(ref.getSnapshot().status).toBe('stopped');
  });

  test('of an observable of events sends them to its parent, in order and before its end', async () => {
    const machine = setup({
      types: { context: {} as { seen: number[] }, events: {} as { type: 'tick'; i: number } },
      actors: { ticks: fromSite<Actors, 'ticks'>(bench.site(), ACTORS, 'ticks') },
    }).createMachine({
      context: { seen: [] },
      initial: 'hearing',
      states: {
        hearing: { invoke: { src: 'ticks', input: 300, onDone: 'done' } },
        done: { type: 'final' },
      },
      on: { tick: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.i] }) } },
    });
    const parent = createActor(machine).start();
    const { context } = await until(parent, ({ status }) => status === 'done');
    expect(context.seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  test('gets ten thousand events in the order in which they were sent', async () => {
    const echo = createRemoteActor<Actors, 'echo'>(bench.site(), ACTORS, 'echo', { mailbox: 10_001 });
    const parent = createActor(
      setup({ types: { events: {} as { type: 'answer'; seen: number[] } } }).createMachine({
        context: {},
        on: { answer: { actions: ({ event }) => answered(event.seen) } },
      }),
    ).start();
    let answered!: (seen: number[]) => void;
    const answer = new Promise<number[]>((resolve) => {
      answered = resolve;
    });
    for (let n = 0; n < 10_000; n++) echo.send({ type: 'number', n });
    echo.send({ type: 'ask', replyTo: parent });
    expect(await answer).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
    echo.stop();
  });

  test('whose mailbox is full throws for one event more, and takes some again when it has caught up', async () => {
    const echo = createRemoteActor<Actors, 'echo'>(bench.site(), ACTORS, 'echo', {
      mailbox: 100,
      id: 'slow',
    });
    for (let n = 0; n < 100; n++) echo.send({ type: 'number', n });
    let error: unknown;
    try {
      echo.send({ type: 'number', n: 100 });
    } catch (cause) {
      error = cause;
    }
    expect(error).toMatchObject({
      code: 'ERR_OFFSITE_MAILBOX',
      actor: 'slow',
      site: bench.site().name,
      bound: 100,
    });
    expect((error as Error).message).toMatch(
      /100 events that the actor slow in .* has not acknowledged.*option mailbox/,
    );
    expect(echo.getSnapshot().status).toBe('active');
    const said = emitted(echo, 'said');
    await vi.waitFor(() => echo.send({ type: 'say', what: 'again' }));
    expect(await said).toEqual({ type: 'said', what: 'again' });
    echo.stop();
  });

  test('refuses an event that can not cross where it is sent, and lives on', async () => {
    const echo = createRemoteActor<Actors, 'echo'>(bench.site(), ACTORS, 'echo');
    expect(() => echo.send({ type: 'say', what: Symbol('no') })).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_UNSERIALIZABLE' }),
    );
    const called = new Promise((resolve) => echo.send({ type: 'function', call: (text) => resolve(text) }));
    expect(await called).toBe('called');
    echo.stop();
  });

  test('tells of events to one that has ended, and of emitted ones that can not cross', async () => {
    const letters: DeadLetter[] = [];
    const actor = counter({ onDeadLetter: (letter) => letters.push(letter), id: 'c' });
    actor.send({ type: 'finish' });
    actor.send({ type: 'add', by: 1 });
    actor.send({ type: 'tell' });
    await toPromise(actor);
    await vi.waitFor(() => expect(letters).toHaveLength(1));
    actor.send({ type: 'add', by: 2 });
    expect(letters.map(({ events }) => events)).toEqual([
      [{ type: 'add', by: 1 }, { type: 'tell' }],
      [{ type: 'add', by: 2 }],
    ]);
    expect(letters[0]!.error).toMatchObject({ code: 'ERR_OFFSITE_DEAD_LETTER' });
    const poisoned = counter({ onDeadLetter: (letter) => letters.push(letter) });
    poisoned.send({ type: 'poison' });
    await vi.waitFor(() => expect(letters).toHaveLength(3));
    expect(letters[2]).toMatchObject({
      events: [{ type: 'odd' }],
      error: { cause: { code: 'ERR_OFFSITE_UNSERIALIZABLE' } },
    });
    poisoned.stop();
  });

  test('whose context can not cross throws when it is read, and does not end', async () => {
    const actor = counter({ onDeadLetter: () => {} });
    const refused = () => {
      try {
        void actor.getSnapshot().context;
        return undefined;
      } catch (cause) {
        return cause;
      }
    };
    actor.send({ type: 'poison' });
    await vi.waitFor(() =>
      expect(refused()).toMatchObject({
        code: 'ERR_OFFSITE_UNSERIALIZABLE',
        path: expect.stringMatching(/context\.bad/),
      }),
    );
    expect(actor.getSnapshot().matches('counting')).toBe(true);
    actor.send({ type: 'finishBadly' });
    expect(await failure(actor)).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
  });

  test('that can not be made ends with an error that says why', async () => {
    const make = (name: 'counter', url = ACTORS) =>
      failure(createRemoteActor<Actors, 'counter'>(bench.site(), url, name));
    expect(await make('nothing' as 'counter')).toMatchObject({
      code: 'ERR_OFFSITE_ACTOR_LOGIC',
      message: expect.stringMatching(/type number.*nothing/),
    });
    expect(await make('missing' as 'counter')).toMatchObject({
      message: expect.stringMatching(/exports nothing under the name missing/),
    });
    expect(await make('counter', new URL('./nowhere.js', ACTORS))).toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
    });
    expect(() =>
      createRemoteActor<Actors, 'counter'>(bench.site(), ACTORS, 'counter', { mailbox: 0 }),
    ).toThrow(expect.objectContaining({ code: 'ERR_OFFSITE_OPTION', option: 'mailbox' }));
    expect(() => fromSite<Actors, 'counter'>({} as never, ACTORS, 'counter')).toThrow(
      expect.objectContaining({ option: 'site' }),
    );
    expect(() =>
      fromSite<Actors, 'counter'>(bench.site(), ACTORS, 'counter', { mailbocks: 1 } as never),
    ).toThrow(expect.objectContaining({ option: 'mailbocks' }));
  });

  test('runs with the XState that its module imports', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offsite-xstate-'));
    const real = JSON.stringify(createRequire(import.meta.url).resolve('xstate'));
    const own = join(folder, 'node_modules/xstate');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "with-its-own", "type": "module" }');
    writeFileSync(join(own, 'package.json'), '{ "name": "xstate", "main": "index.js" }');
    const creating = '{ globalThis.ownXState = true; return real.createActor(...args); }';
    writeFileSync(
      join(own, 'index.js'),
      `const real = require(${real}); exports.fromPromise = real.fromPromise; exports.createActor = (...args) => ${creating};`,
    );
    const logic = 'fromPromise(async () => globalThis.ownXState === true)';
    writeFileSync(
      join(folder, 'm.js'),
      `import { fromPromise } from 'xstate'; export const logic = ${logic};`,
    );
    try {
      const actor = createRemoteActor<{ logic: PromiseActorLogic<boolean> }>(
        bench.site(),
        pathToFileURL(join(folder, 'm.js')),
        'logic',
      );
      expect(await toPromise(actor)).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('can be told of the last snapshot of each turn alone', async () => {
    const actor = counter({ snapshots: 'latest' });
    const seen: number[] = [];
    actor.subscribe(({ context }) => context && seen.push(context.count));
    for (let i = 0; i < 200; i++) actor.send({ type: 'add', by: 1 });
    await until(actor, ({ context }) => context?.count === 200);
    expect(seen.length).toBeLessThan(100);
    actor.stop();
  });
});

test('an actor runs in a site that does not have this disk, with all that travels', async () => {
  const site = track(new RemoteManager({ fork: ['env'], cwd: tmpdir() }));
  const actor = createRemoteActor<Actors, 'counter'>(site, ACTORS, 'counter', { input: { from: 1 } });
  actor.send({ type: 'add', by: 2 });
  actor.send({ type: 'finish' });
  expect(await toPromise(actor)).toBe(3);
  await site.close();
});

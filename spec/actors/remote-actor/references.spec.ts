import { expect, test } from 'vitest';
import { type AnyActorRef, createActor, type EventObject, fromCallback } from 'xstate';
import { createRemoteActor, type RemoteManager } from '../../../lib/index.ts';
import { ACTORS, type Actors, emitted, failure, overSites, until } from './over-sites.ts';

const keeperIn = (
  site: RemoteManager,
  options: Parameters<typeof createRemoteActor<Actors, 'keeper'>>[3] = {},
) => createRemoteActor<Actors, 'keeper'>(site, ACTORS, 'keeper', options);
const echoIn = (site: RemoteManager) => createRemoteActor<Actors, 'echo'>(site, ACTORS, 'echo');

/** An actor here that notes what it is sent. */
const noting = () => {
  const events: EventObject[] = [];
  const waiting: ((event: EventObject) => void)[] = [];
  const logic = fromCallback(({ receive }) => {
    receive((event) => {
      events.push(event);
      waiting.shift()?.(event);
    });
  });
  const actor = createActor(logic).start();
  return { actor, events, next: () => new Promise<EventObject>((resolve) => waiting.push(resolve)) };
};

overSites('an actor reference', (bench) => {
  test('in an event is sent to from there, and is the same actor when it comes home', async () => {
    const keeper = keeperIn(bench.site());
    const here = noting();
    keeper.send({ type: 'keep', actor: here.actor });
    const got = here.next();
    keeper.send({ type: 'pass', event: { type: 'hello' } });
    expect(await got).toEqual({ type: 'hello' });
    const given = emitted<{ actor: unknown }>(keeper, 'given');
    keeper.send({ type: 'giveBack' });
    expect((await given).actor).toBe(here.actor);
    expect(keeper.getSnapshot().context?.kept).toBe(here.actor);
    keeper.stop();
  });

  test('in the input is there from the beginning', async () => {
    const here = noting();
    const keeper = keeperIn(bench.site(), { input: { kept: here.actor } });
    keeper.send({ type: 'pass', event: { type: 'hello' } });
    expect(await here.next()).toEqual({ type: 'hello' });
    keeper.stop();
  });

  test('to what an actor itself is, is that actor here and there', async () => {
    const keeper = keeperIn(bench.site());
    const self = emitted(keeper, 'self');
    keeper.send({ type: 'isSelf', actor: keeper });
    expect(await self).toEqual({ type: 'self', same: true });
    const given = emitted<{ actor: unknown }>(keeper, 'given');
    keeper.send({ type: 'self' });
    expect((await given).actor).toBe(keeper);
    keeper.stop();
  });

  test('leads from one site to another one, which answers', async () => {
    const keeper = keeperIn(bench.site());
    const other = bench.fork();
    const echo = echoIn(other);
    keeper.send({ type: 'keep', actor: echo });
    for (let n = 0; n < 100; n++) keeper.send({ type: 'pass', event: { type: 'number', n } as EventObject });
    const answer = emitted<{ seen: number[] }>(keeper, 'passedOn');
    keeper.send({ type: 'pass', event: { type: 'ask' } });
    expect((await answer).seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
    const given = emitted<{ actor: unknown }>(keeper, 'given');
    keeper.send({ type: 'giveBack' });
    expect((await given).actor).toBe(echo);
    keeper.stop();
    echo.stop();
  });

  test('in a third site can be watched, and its watchers learn of its end', async () => {
    const keeper = keeperIn(bench.site());
    const site = bench.fork();
    const below = createRemoteActor<Actors, 'keeper'>(site, ACTORS, 'keeper');
    below.send({ type: 'spawn', name: `child-${bench.virtual}` });
    const { children } = await until(below, (each) => Object.keys(each.children ?? {}).length === 1);
    const child = children![`child-${bench.virtual}`] as AnyActorRef;
    expect(child.id).toBe(`child-${bench.virtual}`);
    expect(child.sessionId).toMatch(/^x:\d+@[\da-f]{8}$/);
    const said = emitted(child, 'said');
    const snapshot = until(child, ({ status }) => status === 'active');
    child.send({ type: 'say', what: 1 });
    expect(await said).toEqual({ type: 'said', what: 1 });
    await snapshot;
    expect(() => child.stop()).toThrow(/can only be stopped by the actor that has started it/);
    keeper.send({ type: 'keep', actor: child });
    const again = emitted(child, 'said');
    keeper.send({ type: 'pass', event: { type: 'say', what: 2 } as EventObject });
    expect(await again).toEqual({ type: 'said', what: 2 });
    const died = failure(child);
    const gone = bench.virtual ? undefined : failure(below);
    if (bench.virtual) await site.close();
    else process.kill(site.pid!, 'SIGKILL');
    expect(await died).toMatchObject({ code: bench.virtual ? 'ERR_OFFSITE_CLOSED' : 'ERR_OFFSITE_CRASHED' });
    if (gone) expect(await gone).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
    keeper.stop();
  });
});

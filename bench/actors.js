// Events to an actor in a site: many at once, and one after another with an answer to each.
import { createRemoteActor, RemoteManager } from 'offsite';
import { createActor } from 'xstate';
import { answering } from './actor-module.js';
import { awaited, timed } from './harness.js';
import { siteModule } from './site.js';

const ASKED = 1_000;
const AT_ONCE = 20_000;
const url = new URL('./actor-module.js', import.meta.url);

/** @typedef {{ send(event: { type: string }): void, on(type: string, listener: () => void): unknown }} Answering */

/**
 * Gives a function that asks the actor and resolves with its answer.
 * @param {Answering} actor
 */
const asking = (actor) => {
  /** @type {() => void} */
  let answered = () => {};
  actor.on('answer', () => answered());
  return () =>
    new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      answered = resolve;
      actor.send({ type: 'ask' });
    });
};

/**
 * Microseconds an event, until all of them were taken.
 * @param {Answering} actor
 * @param {() => Promise<unknown>} ask
 */
const eventsAtOnce = async (actor, ask) => {
  const time = await timed(() => {
    for (let i = 1; i < AT_ONCE; i++) actor.send({ type: 'event' });
    return ask();
  });
  return time / AT_ONCE;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const local = createActor(answering).start();
  const askLocal = asking(/** @type {Answering} */ (local));
  /** @type {('virtual' | 'sh')[]} */
  const forks = ['virtual', 'sh'];
  for (const fork of forks) {
    const site = harness.own(new RemoteManager({ fork }));
    const module = await siteModule(harness, fork);
    const actor = createRemoteActor(site, url, 'answering', { mailbox: 2 * AT_ONCE });
    const ask = asking(actor);
    await ask();
    await harness.compare(`ask an actor and get its answer, ${fork}`, {
      offsite: () => awaited(ASKED, ask),
      'a bare call': () => awaited(ASKED, () => module.add(1, 2)),
      'a local actor': () => awaited(ASKED, askLocal),
    });
    await harness.compare(`20,000 events to an actor, each, ${fork}`, {
      offsite: () => eventsAtOnce(actor, ask),
      'a local actor': () => eventsAtOnce(/** @type {Answering} */ (local), askLocal),
      '20,000 bare calls at once': async () =>
        (await timed(() => Promise.all(Array.from({ length: AT_ONCE }, () => module.add(1, 2))))) / AT_ONCE,
    });
    actor.stop();
  }
  local.stop();
};

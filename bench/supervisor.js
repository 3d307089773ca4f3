// What it costs to be looked after: a thousand actors and some sites, and how soon a dead one is known and replaced.
import { RemoteManager, Supervisor } from 'offsite';
import { createActor, fromTransition } from 'xstate';
import { collector, timed } from './harness.js';

const ACTORS = 1_000;
const SITES = 12;
/** A third of them dies. */
const SHARE = 3;

const counter = fromTransition((/** @type {number} */ count, /** @type {{ type: string }} */ event) => {
  if (event.type === 'die') throw new Error('killed by the bench');
  return count + 1;
}, 0);

/** @param {number} count */
const actors = (count) =>
  new Supervisor({
    intensity: Infinity,
    children: Array.from({ length: count }, (_, i) => ({ id: `actor/${i}`, start: counter })),
  });

/**
 * A third of the children, by chance.
 * @template T
 * @param {readonly T[]} children
 */
const third = (children) =>
  [...children].sort(() => Math.random() - 0.5).slice(0, Math.floor(children.length / SHARE));

/**
 * Kills a third of the children, each by `kill`; resolves when all are back.
 * @param {Supervisor<never>} supervisor
 * @param {(child: import('offsite').Child<never>) => void} kill
 */
const killAThird = async (supervisor, kill) => {
  const children = third(supervisor.whichChildren().map(({ id }) => supervisor.child(id)));
  const back = children.map((child) => new Promise((resolve) => child.on('up', resolve)));
  for (const child of children) kill(/** @type {import('offsite').Child<never>} */ (child));
  await Promise.all(back);
  return children.length;
};

const bareActors = async () => {
  /** @type {import('xstate').AnyActorRef[]} */
  const made = [];
  const took = await timed(() => {
    for (let i = 0; i < ACTORS; i++) made.push(createActor(counter).start());
  }, ACTORS);
  for (const actor of made) /** @type {import('xstate').Actor<typeof counter>} */ (actor).stop();
  return took;
};

const startActors = async () => {
  /** @type {Supervisor | undefined} */
  let supervisor;
  const took = await timed(async () => {
    supervisor = actors(ACTORS);
    await supervisor.ready;
  }, ACTORS);
  await supervisor?.close();
  return took;
};

const replaceActors = async () => {
  const supervisor = actors(ACTORS);
  await supervisor.ready;
  let killed = 0;
  const took = await timed(async () => {
    killed = await killAThird(supervisor, ({ current }) => {
      /** @type {import('xstate').AnyActorRef} */ (/** @type {unknown} */ (current)).send({ type: 'die' });
    });
  });
  await supervisor.close();
  return took / killed;
};

/** Bytes of the heap that one actor takes below a supervisor. */
const memoryOfOne = async () => {
  const collect = collector();
  collect();
  const before = process.memoryUsage().heapUsed;
  const supervisor = actors(ACTORS);
  await supervisor.ready;
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / ACTORS;
  await supervisor.close();
  return bytes;
};

/** @param {string} fork */
const sites = async (fork) => {
  const supervisor = new Supervisor({
    strategy: 'simple_one_for_one',
    intensity: Infinity,
    children: [{ id: 'site', start: () => new RemoteManager({ fork }) }],
  });
  await Promise.all(Array.from({ length: SITES }, () => supervisor.startChild()));
  return supervisor;
};

/** @param {RemoteManager | undefined} site */
const kill = (site) => {
  // A thread has no process of its own to be killed.
  if (site?.fork === 'sh' && site.pid) process.kill(site.pid, 'SIGKILL');
  else void site?.close({ timeout: 0 });
};

/** @param {string} fork */
const startSites = (fork) => async () => {
  /** @type {Supervisor<[]> | undefined} */
  let supervisor;
  const took = await timed(async () => {
    supervisor = await sites(fork);
  }, SITES);
  await supervisor?.close();
  return took;
};

/** @param {string} fork */
const replaceSites = (fork) => async () => {
  const supervisor = await sites(fork);
  let killed = 0;
  const took = await timed(async () => {
    killed = await killAThird(supervisor, ({ current }) => kill(current));
  });
  await supervisor.close();
  return took / killed;
};

/** @param {string} fork */
const bareSites = (fork) => async () => {
  /** @type {RemoteManager[]} */
  let managers = [];
  const took = await timed(async () => {
    managers = Array.from({ length: SITES }, () => new RemoteManager({ fork }));
    await Promise.all(managers.map(({ ready }) => ready));
  }, SITES);
  await Promise.all(managers.map((manager) => manager.close()));
  return took;
};

/** One sh site that is killed: microseconds to the event, and to the next one that is ready. */
const death = async () => {
  const supervisor = new Supervisor({
    children: [{ id: 'site', start: () => new RemoteManager({ fork: 'sh' }) }],
  });
  const child = supervisor.child('site');
  const site = await child.whenUp();
  const down = new Promise((resolve) => child.on('down', () => resolve(performance.now())));
  const start = performance.now();
  kill(site);
  const event = (await down) - start;
  await child.whenUp();
  const ready = performance.now() - start;
  await supervisor.close();
  return { event: event * 1000, ready: ready * 1000 };
};

const forkToReady = async () => {
  const manager = new RemoteManager({ fork: 'sh' });
  const took = await timed(() => manager.ready);
  await manager.close();
  return took;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  // Whoever waits for an event only does not keep the program alive.
  const hold = setInterval(() => {}, 2 ** 30);
  harness.own({ close: () => clearInterval(hold) });
  const some = { rounds: 7, warmUp: 2 };
  await harness.compare(
    'start of 1,000 actors below a supervisor, each',
    { offsite: startActors, 'bare createActor': bareActors },
    some,
  );
  await harness.compare(
    'a third of 1,000 actors dies, until all are back, each',
    { offsite: replaceActors },
    some,
  );
  harness.level('heap of an actor below a supervisor', await memoryOfOne(), 'bytes');
  for (const fork of ['virtual', 'sh']) {
    const few = { rounds: 3, warmUp: 1 };
    const bare = { '12 managers, all ready': bareSites(fork) };
    await harness.compare(
      `start of 12 ${fork} sites at once, each`,
      { offsite: startSites(fork), ...bare },
      few,
    );
    await harness.compare(
      `a third of 12 ${fork} sites dies, until all are back, each`,
      { offsite: replaceSites(fork), ...bare },
      few,
    );
  }
  await harness.compare(
    'SIGKILL to event, sh',
    { offsite: async () => (await death()).event },
    { rounds: 15 },
  );
  await harness.compare(
    'SIGKILL to ready again, sh',
    { offsite: async () => (await death()).ready, 'fork to ready': forkToReady },
    { rounds: 15 },
  );
};

// Does one of many cost what one of few does? Calls in flight, live references, streams.
import { collector, median, timed } from './harness.js';
import { siteModule } from './site.js';

/** What the many are compared with. */
const FEW = 10;
const CALLS = 10_000;
const REFERENCES = 1_000;
const STREAMS = 100;
/** How many values one stream carries. */
const VALUES = 20;
/** How many calls go through the live references at once, many or few: more per reference where these are few. */
const SPREAD = 1_000;
/** How many items one round takes of each size, so that a small one is taken more often. */
const ITEMS = 1_000;
const rounds = { rounds: 7, warmUp: 1 };

/** @typedef {import('./site.js').SiteModule} SiteModule */

/**
 * What each further item costs, in microseconds. What happens once for all of them (the round trip, the waking) is
 * taken as the time of a single one and subtracted: spread over ten it would make these dear, and the many look cheap.
 * @param {(count: number) => Promise<unknown>} work
 * @param {number} count
 * @param {() => Promise<unknown>} [between] what puts things in order between two, and is not timed
 */
const furtherItem = (work, count, between) => async () => {
  const repeats = Math.max(3, Math.min(60, Math.round(ITEMS / count)));
  /** @param {number} size */
  const once = async (size) => {
    await between?.();
    // Awake at both ends, however long the last pause was.
    for (let i = 0; i < 3; i++) await work(1);
    return timed(() => work(size));
  };
  const ones = [];
  const all = [];
  for (let i = 0; i < repeats; i++) {
    ones.push(await once(1));
    all.push(await once(count));
  }
  return (median(all) - median(ones)) / (count - 1);
};

/** @param {SiteModule} module */
const inFlight = (module) => async (/** @type {number} */ count) => {
  const calls = Array.from({ length: count }, () => module.hold());
  // Each is asked for its result now: a call that nobody waits for is not answered.
  const all = Promise.all(calls);
  // Behind the calls on the same link, so all are held when the gate opens.
  await module.open();
  await all;
};

/** @param {SiteModule} module */
const madeAndCalled = (module) => async (/** @type {number} */ count) => {
  const references = await module.makeReferences(count);
  await Promise.all(references.map((reference) => reference()));
};

/** @param {SiteModule} module */
const streamed = (module) => async (/** @type {number} */ count) => {
  const one = async () => {
    let seen = 0;
    for await (const value of await streamOf(module, VALUES)) if (value === seen) seen++;
    if (seen !== VALUES) throw new Error(`A stream gave ${seen} values of ${VALUES}.`);
  };
  await Promise.all(Array.from({ length: count }, one));
};

/** What only keeps track of functions as references must be: who holds them, and when the last one lets go. */
const tracked = () => {
  /** @type {Map<number, WeakRef<object>>} */
  const held = new Map();
  const registry = new FinalizationRegistry((/** @type {number} */ id) => held.delete(id));
  let last = 0;
  return async (/** @type {number} */ count) => {
    const all = Array.from({ length: count }, () => {
      const target = () => ++last;
      held.set(++last, new WeakRef(target));
      registry.register(target, last);
      return target;
    });
    // As a call through them does: each becomes the business of a turn of its own.
    await Promise.all(all.map(async (target) => target()));
  };
};

/**
 * @param {SiteModule} module
 * @param {number} count
 */
const streamOf = (module, count) =>
  /** @type {Promise<AsyncIterable<number>>} */ (/** @type {unknown} */ (module.stream(count)));

/**
 * @param {import('./harness.js').Harness} harness
 * @param {'virtual' | 'sh'} fork
 */
const benchOf = async (harness, fork) => {
  const module = await siteModule(harness, fork);
  const gc = collector();
  const tidy = async () => {
    gc();
    // What was collected is told to the site behind this turn, and a call behind that finds it done.
    await new Promise(setImmediate);
    await module.add(1, 2);
  };
  const calls = inFlight(module);
  await harness.compare(
    `10,000 calls in flight, each, ${fork}`,
    { offsite: furtherItem(calls, CALLS), '10 in flight': furtherItem(calls, FEW) },
    rounds,
  );

  const references = madeAndCalled(module);
  await harness.compare(
    `1,000 references made and called, each, ${fork}`,
    { offsite: furtherItem(references, REFERENCES, tidy), '10 of them': furtherItem(references, FEW, tidy) },
    rounds,
  );
  const bare = tracked();
  await harness.compare(
    `1,000 WeakRefs with an entry in a registry, each, beside ${fork}`,
    { floor: furtherItem(bare, REFERENCES, tidy), '10 of them': furtherItem(bare, FEW, tidy) },
    rounds,
  );

  const many = await module.makeReferences(REFERENCES);
  const spread = (/** @type {typeof many} */ over) => () =>
    timed(() => Promise.all(Array.from({ length: SPREAD }, (_, i) => over[i % over.length]())), SPREAD);
  // Ten of the thousand would have as many live; these ten are alone in a site of their own.
  const few = await (await siteModule(harness, fork)).makeReferences(FEW);
  await harness.compare(
    `calls to 1,000 live references, each, ${fork}`,
    { offsite: spread(many), 'to 10 of them': spread(few) },
    { ...rounds, warmUp: 5 },
  );

  const streams = streamed(module);
  await harness.compare(
    `100 streams at once, each, ${fork}`,
    {
      offsite: furtherItem(streams, STREAMS),
      '10 at once': furtherItem(streams, FEW),
    },
    rounds,
  );
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  await benchOf(harness, 'virtual');
  await benchOf(harness, 'sh');
};

// What a site costs that does nothing, or little: CPU of both ends, in percent of one core.
/** How long one figure is taken for, in milliseconds. */
const TAKE_FOR = 3_000;
/** Some seconds after the last work V8 tidies up, once; an idle site is one that has this behind it. In milliseconds. */
const SETTLES_IN = 12_000;
/** Calls a second. */
const RATES = [10, 1_000, 10_000];

// What is called in the site: this file is linked there too, so it imports nothing of ours above.
/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b;

/** CPU time that this process has taken so far, in milliseconds. */
export const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** @typedef {import('offsite').Remote<typeof import('./idle.js')>} Site */

/**
 * Makes calls at a rate, in ticks of a millisecond or more; none for 0.
 * @param {Site} site
 * @param {number} rate
 */
const callFor = async (site, rate) => {
  const start = performance.now();
  let made = 0;
  for (let now = start; now - start < TAKE_FOR; now = performance.now()) {
    const due = Math.floor(((now - start) * rate) / 1000);
    // One after another, as a program that waits for each answer makes them.
    while (made < due) {
      made++;
      await site.add(made, 1);
    }
    await new Promise((resolve) => setTimeout(resolve, rate === 0 ? TAKE_FOR : Math.max(1, 1000 / rate)));
  }
  return made;
};

/**
 * CPU of both ends in percent of one core, while calls are made at a rate.
 * @param {Site} site
 * @param {'virtual' | 'sh'} fork
 * @param {number} rate
 */
const percent = async (site, fork, rate) => {
  // A thread's time is in its process's.
  const cpu = async () => used() + (fork === 'sh' ? await site.used() : 0);
  if (rate === 0) await new Promise((resolve) => setTimeout(resolve, SETTLES_IN));
  await callFor(site, rate && RATES[0]);
  const before = await cpu();
  const start = performance.now();
  await callFor(site, rate);
  const after = await cpu();
  return ((after - before) / (performance.now() - start)) * 100;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const { RemoteManager } = await import('offsite');
  for (const fork of /** @type {const} */ (['virtual', 'sh'])) {
    const manager = harness.own(new RemoteManager({ fork }));
    const site = /** @type {Site} */ (await manager.link(new URL(import.meta.url)));
    await site.add(1, 2);
    for (const rate of [0, ...RATES]) {
      const what = rate === 0 ? 'idle' : `${rate.toLocaleString('en')} calls/s`;
      harness.level(`CPU of both ends, ${fork}, ${what}`, await percent(site, fork, rate), '%');
    }
  }
};

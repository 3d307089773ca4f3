// Calls of add(1, 2) beside the floors of their links: one after another, and 20,000 at once.
import { Buffer } from 'node:buffer';
import { counters } from './floors/counters.js';
import { pipe } from './floors/pipe.js';
import { postMessage } from './floors/post-message.js';
import { addAtOnce, awaited } from './harness.js';
import { siteModule } from './site.js';
import { SLEEPERS } from './targets.js';

const AWAITED = 2_000;
const AT_ONCE = 20_000;
/** About what a small call takes on the wire. */
const MESSAGE = Buffer.alloc(64, 'x');

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const virtual = await siteModule(harness, 'virtual');
  const sh = await siteModule(harness, 'sh');
  const hotWords = harness.own(counters());
  const sleepyWords = harness.own(counters({ hotFor: 0 }));
  const hotPipe = harness.own(pipe({ gather: MESSAGE.length }));
  const sleepyPipe = harness.own(pipe({ gather: MESSAGE.length, hotFor: 0 }));
  const worker = harness.own(postMessage());

  await harness.compare('awaited add(1, 2), virtual', {
    offsite: () => awaited(AWAITED, () => virtual.add(1, 2)),
    'two counters in shared memory': () => awaited(AWAITED, () => hotWords.trip()),
    [SLEEPERS]: () => awaited(AWAITED, () => sleepyWords.trip()),
    postMessage: () => awaited(AWAITED, () => worker.add(1, 2)),
  });
  await harness.compare('awaited add(1, 2), sh', {
    offsite: () => awaited(AWAITED, () => sh.add(1, 2)),
    'raw pipe, 64 bytes': () => awaited(AWAITED, () => hotPipe.trip(MESSAGE)),
    'raw pipe, ends sleep at once': () => awaited(AWAITED, () => sleepyPipe.trip(MESSAGE)),
  });
  await harness.compare('20,000 add(1, 2) at once, each, virtual', {
    offsite: () => addAtOnce(virtual, AT_ONCE),
    postMessage: () => addAtOnce(worker, AT_ONCE),
  });
  await harness.compare('20,000 add(1, 2) at once, each, sh', {
    offsite: () => addAtOnce(sh, AT_ONCE),
    'postMessage, to a thread': () => addAtOnce(worker, AT_ONCE),
  });
};

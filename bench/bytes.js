// 64 MiB of a Float64Array there and back, and 64 MiB that are only shared.
import { pipe } from './floors/pipe.js';
import { awaited, timed } from './harness.js';
import { siteModule } from './site.js';

const SIZE = 64 * 1024 * 1024;
const rounds = { rounds: 7, warmUp: 1 };
/** How often memory is shared in a round; more would be more memory than a process that forks may promise. */
const SHARED = 20;

/** @typedef {import('./site.js').SiteModule} SiteModule */

/**
 * Memory that is new each time, as what the site knows already might cost less.
 * @param {SiteModule} module
 * @param {number} size
 */
const share = (module, size) => async () => {
  // Made beforehand: that is no part of sharing it.
  const memories = Array.from({ length: SHARED }, () => new SharedArrayBuffer(size));
  let next = 0;
  const took = await awaited(SHARED, () => module.mark(memories[next++], next));
  if (new Int32Array(memories[SHARED - 1])[0] !== SHARED) throw new Error('The memory was copied.');
  return took;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const array = Float64Array.from({ length: SIZE / 8 }, (_, i) => i);
  const bytes = new Uint8Array(array.buffer);
  const there = new Uint8Array(SIZE);
  const back = new Uint8Array(SIZE);
  const last = array.at(-1);

  /** @param {SiteModule} module */
  const echo = (module) => () =>
    timed(async () => {
      const same = await module.echo(array);
      if (same.length !== array.length || same.at(-1) !== last) throw new Error('It came back changed.');
    });

  const virtual = await siteModule(harness, 'virtual');
  await harness.compare(
    '64 MiB there and back, virtual',
    {
      offsite: echo(virtual),
      'memcpy twice, into new memory': () => timed(() => bytes.slice().slice()),
      'memcpy twice, into memory at hand': () =>
        timed(() => {
          there.set(bytes);
          back.set(there);
        }),
    },
    rounds,
  );

  await harness.compare('shared memory of 64 MiB to a virtual site', {
    offsite: share(virtual, SIZE),
    'the same of 64 bytes': share(virtual, 64),
  });

  const sh = await siteModule(harness, 'sh');
  const streaming = harness.own(pipe());
  const gathering = harness.own(pipe({ gather: SIZE }));
  await harness.compare(
    '64 MiB there and back, sh',
    {
      offsite: echo(sh),
      'raw pipe, back while it comes': () => timed(() => streaming.trip(bytes, back)),
      'raw pipe, back when all has come': () => timed(() => gathering.trip(bytes, back)),
    },
    rounds,
  );
};

// 64 MiB of a Float64Array there and back.
import { pipe } from './floors/pipe.js';
import { timed } from './harness.js';
import { siteModule } from './site.js';

const SIZE = 64 * 1024 * 1024;
const rounds = { rounds: 7, warmUp: 1 };

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const array = Float64Array.from({ length: SIZE / 8 }, (_, i) => i);
  const bytes = new Uint8Array(array.buffer);
  const there = new Uint8Array(SIZE);
  const back = new Uint8Array(SIZE);
  const last = array.at(-1);

  /** @param {import('./site.js').SiteModule} module */
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

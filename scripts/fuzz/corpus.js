import { transfer } from '../../dist/lib/wire/codec/transfer.js';
import { release, withOptions } from '../../dist/lib/wire/reference/handle.js';
import { Session } from '../../dist/lib/wire/session.js';
import { FuzzLink } from './link.js';
import { makeVictim } from './victim.js';

const quiet = () => {};
const turn = () => new Promise(setImmediate);

/** Everything that two sessions do with each other, in scenes that know nothing of one another. */
const scenes = {
  async calls(far) {
    await Promise.all([far.add(1, 2), far.keep.a.b('x'), far.keep.text, far.later(5)]);
    await far.counter().up(2);
    const counter = await new far.Counter();
    await counter.up();
    release(counter);
    far.later(1);
    await Promise.allSettled([far.fail(), far.fail('text'), far.nothing.at.all(), far.fail(undefined).then]);
  },
  async references(far) {
    const back = await far.echo((x) => x * 2);
    await far.callBack(back, 4);
    await far.callBack((x) => x + 1, 1);
    const held = await far.counter();
    await far.echo({ held, again: held, nested: [held] });
    await far.callBack((f) => f(2), far.add);
    await far.callBack(() => (x) => x);
    await far.callBack(() => ({ items: far.items(2), text: 'x', when: new Date(1) }));
    await far.callBack(() => Promise.reject(new Error('no'))).catch(quiet);
    await far.echo(far.later(7));
    release(held);
  },
  async cancels(far, session) {
    const controller = new AbortController();
    const never = withOptions(far, { signal: controller.signal }).never();
    const early = withOptions(far, { signal: AbortSignal.abort('early') }).add(1, 2);
    await turn();
    controller.abort(new Error('enough'));
    await Promise.allSettled([never, early]);
    await session.ping();
    session.output(1, 'printed\n');
  },
  async signals(far) {
    const controller = new AbortController();
    await far.use(controller.signal);
    await far.echo({ signal: controller.signal, gone: AbortSignal.abort(new Error('gone')) });
    controller.abort(new Error('now'));
    const theirs = await far.signal();
    await far.use(theirs);
    await turn();
  },
  async streams(far) {
    for await (const _item of far.items(5)) await turn();
    for await (const _item of far.items(50, 100)) break;
    for await (const _item of await far.readable()) await turn();
    const writer = (await far.writable()).getWriter();
    for (let i = 0; i < 4; i++) await writer.write({ i, at: new Date(i) });
    await writer.close();
    const cut = (await far.writable()).getWriter();
    await cut.write(1);
    await cut.abort(new Error('cut')).catch(quiet);
    await far.use(ReadableStream.from(['a', 'b', new Map([[1, 2]])]));
    await far.use(new WritableStream({}));
    await far
      .use(
        (async function* () {
          yield 1;
          throw new Error('the source fails');
        })(),
      )
      .catch(quiet);
    await far.useAll(new TransformStream());
  },
  async rich(far) {
    const cycle = { name: 'cycle', list: [] };
    cycle.list.push(cycle, cycle.list);
    const holes = [1];
    holes[9] = 2;
    await far.echo({
      cycle,
      holes,
      map: new Map([[{}, new Set([1, cycle])]]),
      bare: Object.assign(Object.create(null), { x: 1 }),
      leaves: [new Date(5), /a+/gi, new URL('file:///x'), 5n, NaN, -0, Infinity, new Date(NaN)],
      boxed: [Object(1), Object('s'), Object(9n)],
      errors: new AggregateError([new TypeError('t', { cause: cycle })], 'many'),
      views: [
        new Uint16Array([1, 2]),
        new DataView(new ArrayBuffer(8)),
        Buffer.from('abc'),
        new Float64Array(2),
      ],
      undefined: undefined,
    });
    await far.echo('é'.repeat(300));
    await far.echo([[[[[[[[{}]]]]]]]]);
  },
  async parts(far) {
    await Promise.all([far.echo(new Uint8Array(300_000)), far.bytes(270_000), far.add(1, 2)]);
    await far.use(ReadableStream.from([new Uint8Array(280_000), 'small']));
    const moved = new Uint8Array(100_000);
    await far.use({ moved: transfer(moved) });
    await far.echo(new Uint8Array(5));
  },
};

/** The frames in bytes, one by one. */
const framesOf = (bytes) => {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
};

const record = async (scene, sharesMemory) => {
  const [a, b] = [new FuzzLink(sharesMemory), new FuzzLink(sharesMemory)];
  [a.peer, b.peer] = [b, a];
  const near = new Session('far', makeVictim(), {}, { sharesMemory });
  const far = new Session('near', makeVictim(), {}, { sharesMemory });
  near.attach(a);
  far.attach(b);
  near.greet({ protocol: 2, name: 'fuzz' });
  await scene(near.main, near);
  near.sendClose();
  await turn();
  for (const session of [near, far]) session.end(() => new Error('recorded'));
  return a.sent.flatMap(({ bytes, beside }) => framesOf(bytes).map((frame) => ({ frame, beside })));
};

/** What the near end of each scene sent, as lists of `{ frame, beside }`. */
export const makeCorpus = async () => {
  const corpus = [];
  for (const scene of Object.values(scenes)) {
    for (const sharesMemory of [false, true]) {
      corpus.push({ sharesMemory, frames: await record(scene, sharesMemory) });
    }
  }
  return corpus;
};

// One value to bytes and back, without a link: each kind of value that the codec treats in another way.
import { Buffer } from 'node:buffer';
import v8 from 'node:v8';
import SuperJSON from 'superjson';
import { decodeBody, encodeBody } from '../dist/lib/wire/codec/codec.js';
import { isPlain } from '../dist/lib/wire/codec/plain.js';
import { Outbox } from '../dist/lib/wire/frame/outbox.js';

/** How long one round of one codec lasts, in milliseconds. */
const ROUND = 60;

const outbox = new Outbox();
const refuse = () => {
  throw new Error('There are no references in these values.');
};
const tables = {
  depth: 1000,
  exportValue: refuse,
  importValue: refuse,
  withdraw: refuse,
  carry: () => undefined,
  share: () => undefined,
  carried: refuse,
  shared: refuse,
  later: refuse,
};

/** @typedef {(value: unknown) => unknown} Codec */

/** @type {Record<string, Codec>} */
const codecs = {
  offsite: (value) => {
    encodeBody(outbox, value, tables, 'value');
    const back = decodeBody(outbox.bytes, 0, outbox.length, tables);
    outbox.reset(false);
    return back;
  },
  'JSON, text only': (value) => JSON.parse(JSON.stringify(value)),
  'JSON as UTF-8 bytes': (value) => JSON.parse(Buffer.from(JSON.stringify(value)).toString()),
  'v8.serialize': (value) => v8.deserialize(v8.serialize(value)),
  'bare superjson': (value) => SuperJSON.parse(SuperJSON.stringify(value)),
};

const row = (/** @type {unknown} */ _, /** @type {number} */ id) => ({
  id,
  name: `row number ${id}`,
  share: id / 7,
  open: id % 2 === 0,
});

const values = {
  'small call object': { id: 17, method: 'add', args: [1, 2] },
  '1,000 rows of 4 fields': Array.from({ length: 1000 }, row),
  'Float64Array(100,000)': Float64Array.from({ length: 100_000 }, (_, i) => i / 3),
  'Date, Map, Set, bigint, undefined': {
    at: new Date(0),
    sizes: new Map([
      ['s', 1],
      ['m', 2],
    ]),
    tags: new Set(['a', 'b']),
    big: 12345678901234567890n,
    none: undefined,
  },
};

/**
 * A round of as many times as fit into it, counted beforehand so that the clock is not in the way.
 * @param {Codec} codec
 * @param {unknown} value
 */
const rounds = (codec, value) => {
  let count = 1;
  const run = () => {
    const start = performance.now();
    for (let i = 0; i < count; i++) codec(value);
    return performance.now() - start;
  };
  return () => {
    let took = run();
    // Too short to be told from noise; happens in the first round only, which warms up.
    while (took < ROUND / 4) {
      count *= Math.max(2, Math.floor(ROUND / 2 / took));
      took = run();
    }
    return (took * 1000) / count;
  };
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  for (const [name, value] of Object.entries(values)) {
    // What JSON can't carry whole is not measured with it.
    const usable = Object.entries(codecs).filter(([codec]) => !codec.startsWith('JSON') || isPlain(value));
    await harness.compare(
      `codec there and back: ${name}`,
      Object.fromEntries(usable.map(([codec, run]) => [codec, rounds(run, value)])),
      { rounds: 7 },
    );
  }
};

// One value to bytes and back, without a link: each kind of value that the codec treats in another way.
import { Buffer } from 'node:buffer';
import v8 from 'node:v8';
import { Packr } from 'msgpackr';
import SuperJSON from 'superjson';
import { decodeBody, encodeBody } from '../dist/lib/wire/codec/codec.js';
import { Outbox } from '../dist/lib/wire/frame/outbox.js';
import { carries, Point, samples } from './codec-values.js';

/** How long one round of one codec lasts, in milliseconds. */
const ROUND = 40;
/** How deep values may be nested: what the session allows. */
const DEPTH = 1_000;

const outbox = new Outbox();
const refuse = () => {
  throw new Error('There are no references in these values.');
};
/** What a session gives to its codec, for a link that carries everything in its frames. */
const context = {
  depth: DEPTH,
  exportValue: refuse,
  withdraw: refuse,
  carry: () => undefined,
  share: () => undefined,
  importValue: refuse,
  carried: refuse,
  shared: refuse,
  later: refuse,
};

/** @typedef {(value: unknown) => unknown} Codec */

const superjson = new SuperJSON();
superjson.registerClass(Point);

const packr = new Packr();
const cloning = new Packr({ structuredClone: true, moreTypes: true, useBigIntExtension: true });

/** @type {Codec} */
const offsite = (value) => {
  try {
    encodeBody(outbox, value, context, 'value');
    return decodeBody(outbox.bytes, 0, outbox.length, context);
  } finally {
    outbox.reset(false);
  }
};

/**
 * Whether JSON carries a value whole can be told only by looking at each part of it: this does no more than that.
 * @type {(value: unknown) => boolean}
 */
const looksPlain = (value) => {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'undefined' && !Object.is(value, -0);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  for (const key in value) if (!looksPlain(/** @type {any} */ (value)[key])) return false;
  return true;
};

/** What it is measured against; of the two msgpackrs only the first that carries a value. @type {[string, Codec][]} */
const others = [
  ['JSON, text only', (value) => JSON.parse(JSON.stringify(value))],
  ['JSON as UTF-8 bytes', (value) => JSON.parse(Buffer.from(JSON.stringify(value)).toString())],
  [
    'JSON as UTF-8 bytes, after a look at each part',
    (value) => looksPlain(value) && JSON.parse(Buffer.from(JSON.stringify(value)).toString()),
  ],
  ['v8.serialize', (value) => v8.deserialize(v8.serialize(value))],
  ['msgpackr', (value) => packr.unpack(packr.pack(value))],
  ['msgpackr', (value) => cloning.unpack(cloning.pack(value))],
  ['bare superjson', (value) => superjson.parse(superjson.stringify(value))],
];

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
  for (const [name, sample] of Object.entries(samples)) {
    // What can't carry a value whole is not measured with it.
    const able = others.filter(
      ([codec, run], i) =>
        carries(run, sample) &&
        !others.slice(0, i).some(([same, it]) => same === codec && carries(it, sample)),
    );
    await harness.compare(
      `codec there and back: ${name}`,
      {
        offsite: rounds(offsite, sample.value),
        ...Object.fromEntries(able.map(([codec, run]) => [codec, rounds(run, sample.value)])),
      },
      { rounds: 7 },
    );
  }
};

// One value for each class of values that the codec treats in another way.
import { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { registerClass } from 'offsite';

/**
 * @typedef {object} Sample
 * @property {unknown} value
 * @property {(back: any) => boolean} [also] what must hold of it besides that it looks the same
 */

export class Point {
  /**
   * @param {number} x
   * @param {number} y
   */
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
}

registerClass(Point);

const row = (/** @type {unknown} */ _, /** @type {number} */ id) => ({
  id,
  name: `row number ${id}`,
  share: id / 7,
  open: id % 2 === 0,
});

const shared = { name: 'in two places' };
/** @type {{ name: string, first: object, second: object, self?: object }} */
const cyclic = { name: 'with a way back', first: shared, second: shared };
cyclic.self = cyclic;

/** @type {Record<string, Sample>} */
export const samples = {
  'small call object': { value: { id: 17, method: 'add', args: [1, 2] } },
  '1,000 rows of 4 fields': { value: Array.from({ length: 1000 }, row) },
  'Float64Array(100,000)': { value: Float64Array.from({ length: 100_000 }, (_, i) => i / 3) },
  'Date, Map, Set, bigint, undefined': {
    value: {
      at: new Date(0),
      sizes: new Map([
        ['s', 1],
        ['m', 2],
      ]),
      tags: new Set(['a', 'b']),
      big: 12345678901234567890n,
      none: undefined,
    },
  },
  'an error with a code and a cause': {
    value: Object.assign(new RangeError('too far', { cause: new TypeError('why') }), { code: 'E_FAR' }),
    also: (back) =>
      back instanceof RangeError &&
      /** @type {any} */ (back).code === 'E_FAR' &&
      back.cause instanceof TypeError,
  },
  'shared identity and a cycle': {
    value: cyclic,
    also: (back) => back.self === back && back.first === back.second,
  },
  'an instance of a class': {
    value: { from: new Point(1, 2), to: new Point(3, 4) },
    also: (back) => back.from instanceof Point,
  },
  'Buffer of 4 KiB': { value: Buffer.alloc(4096, 'x'), also: (back) => Buffer.isBuffer(back) },
  'bytes nested in objects': {
    value: { parts: Array.from({ length: 16 }, (_, i) => ({ i, bytes: new Uint8Array(256).fill(i) })) },
  },
};

/**
 * Whether a codec gives back what it got, whole. One that loses something would be measured at less work.
 * @param {(value: unknown) => unknown} codec
 * @param {Sample} sample
 */
export const carries = (codec, { value, also }) => {
  try {
    const back = codec(value);
    return (isError(value) || isDeepStrictEqual(back, value)) && (also?.(back) ?? true);
  } catch {
    return false;
  }
};

/** Of errors some keep the stack and some make their own; what must hold of them is said by the sample. */
const isError = (/** @type {unknown} */ value) => value instanceof Error;

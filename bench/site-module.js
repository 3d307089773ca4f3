// What the benches call in their sites.

/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b;

/** @param {Float64Array} value */
export const echo = (value) => value;

/**
 * Writes a number into memory; only if that is shared does the caller see it.
 * @param {SharedArrayBuffer} memory
 * @param {number} value
 */
export const mark = (memory, value) => {
  new Int32Array(memory)[0] = value;
};

/** @type {(() => void)[]} */
const held = [];

/** Answers when the gate is opened. */
export const hold = () =>
  new Promise((/** @type {(value?: undefined) => void} */ resolve) => held.push(resolve));

/** Lets all go that are held. */
export const open = () => {
  for (const letGo of held.splice(0)) letGo();
};

/**
 * Functions that stay here: the caller gets references.
 * @param {number} count
 */
export const makeReferences = (count) => Array.from({ length: count }, (_, i) => () => i);

/**
 * A stream of the numbers below `count`.
 * @param {number} count
 */
export async function* stream(count) {
  for (let i = 0; i < count; i++) yield i;
}

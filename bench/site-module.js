// What the benches call in their sites.

/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b;

/**
 * @template T
 * @param {T} value
 */
export const echo = (value) => value;

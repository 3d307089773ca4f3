// What the benches call in their sites.

/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b;

/** @param {Float64Array} value */
export const echo = (value) => value;

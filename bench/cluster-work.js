// What the bench of clusters calls in the workers.
export const add = (/** @type {number} */ a, /** @type {number} */ b) => a + b;
export const twice = (/** @type {number} */ x) => 2 * x;

/** Computes for so many milliseconds. @param {number} milliseconds */
export const compute = (milliseconds) => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return milliseconds;
};

/** @param {{ value: Float64Array } | Float64Array} big */
export const lengthOf = (big) => ('value' in big ? big.value : big).length;

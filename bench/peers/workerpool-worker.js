import workerpool from 'workerpool';

workerpool.worker({ add: (/** @type {number} */ a, /** @type {number} */ b) => a + b });

// What piscina and tinypool run in their worker.

/** @param {{ a: number, b: number }} pair */
export default ({ a, b }) => a + b;

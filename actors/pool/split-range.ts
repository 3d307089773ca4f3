/** Whole numbers from `start` up to, but without, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a range of `length` into at most `count` parts that follow one another and are nearly equal; those that are
 * larger by one come first, and none is empty: the rule of Julia's `@distributed`.
 */
export const splitRange = (length: number, count: number): Range[] => {
  const parts = Math.min(length, count);
  const each = Math.floor(length / parts);
  const extras = length % parts;
  return Array.from({ length: parts }, (_, index) => {
    const start = index * each + Math.min(index, extras);
    return { start, end: start + each + (index < extras ? 1 : 0) };
  });
};

/** How many parts of equal size a worker would get of what is left. */
const SHARES = 2;

/** Splits a range into parts that become smaller towards its end, so that nobody waits long for the last one. */
export const guidedRanges = (length: number, workers: number): Range[] => {
  const ranges: Range[] = [];
  for (let start = 0; start < length; ) {
    const end = start + Math.ceil((length - start) / (SHARES * workers));
    ranges.push({ start, end });
    start = end;
  }
  return ranges;
};

// What `npm run bench` prints.

/** @param {number} us */
const time = (us) => {
  if (us < 1000) return `${us.toPrecision(3)} us`;
  return us < 1e6 ? `${(us / 1000).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`;
};

/** @param {number} ratio */
const times = (ratio) => ratio.toFixed(ratio < 10 ? 2 : 0);

/**
 * The rows as text in columns; what stands in the row above is not said again.
 * @param {readonly import('./harness.js').Row[]} rows
 */
export const table = (rows) => {
  const cells = rows.map(({ measure, ours, against, ratio, meanRatio }, i) => {
    const again = rows[i - 1]?.ours === ours;
    const left = again ? ['', ''] : [measure, time(ours.median)];
    return [...left, against.name, time(against.median), times(ratio), times(meanRatio)];
  });
  const lines = [['measure', 'ours', 'floor or peer', '', 'ratio', 'of means'], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const left = [0, 2];
  const padded = (/** @type {string[]} */ line) =>
    line.map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [padded(lines[0]), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(padded)].join(
    '\n',
  );
};

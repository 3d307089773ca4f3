// What `npm run bench` prints.
/** @typedef {import('./targets.js').Judged} Judged */

/** @param {number} us */
const time = (us) => {
  if (us < 1000) return `${us.toPrecision(3)} us`;
  return us < 1e6 ? `${(us / 1000).toPrecision(3)} ms` : `${(us / 1e6).toPrecision(3)} s`;
};

/** @param {number} ratio */
const times = (ratio) => (ratio < 1 ? ratio.toPrecision(2) : ratio.toFixed(ratio < 10 ? 2 : 0));

/** @param {number} share */
const percent = (share) => `${share.toPrecision(3)} %`;

/** @param {number} count */
const bytes = (count) => (count < 1024 ? `${Math.round(count)} B` : `${(count / 1024).toPrecision(3)} KiB`);

/**
 * @param {import('./harness.js').Figures | undefined} figures
 * @param {'us' | '%' | 'bytes'} unit
 */
const shown = (figures, unit) => {
  if (figures?.median === undefined) return figures?.absent ?? '';
  if (unit === 'bytes') return bytes(figures.median);
  return unit === '%' ? percent(figures.median) : time(figures.median);
};

/**
 * @param {Judged} row
 * @returns {[string, string]} the target, and whether it is met
 */
const verdictOf = ({ verdict, against, unit }) => {
  if (!verdict) return ['', ''];
  const ours = unit === '%' ? percent(verdict.atMost) : time(verdict.atMost);
  const bound = against ? times(verdict.atMost) : ours;
  return [`<= ${bound}${verdict.among > 1 ? `, best of ${verdict.among}` : ''}`, verdict.word];
};

const heads = ['measure', 'ours', 'peer or floor', 'theirs', 'ratio', 'of means', 'target', 'verdict'];
/** Columns of words; the others are of figures. */
const words = ['measure', 'peer or floor', 'target', 'verdict'];

/**
 * The rows as text in columns; what stands in the row above is not said again.
 * @param {readonly Judged[]} rows
 */
export const table = (rows) => {
  const cells = rows.map((row, i) => {
    const { measure, unit, ours, against, ratio, meanRatio } = row;
    const again = rows[i - 1]?.ours === ours;
    return [
      ...(again ? ['', ''] : [measure, shown(ours, unit)]),
      against?.name ?? '',
      shown(against, unit),
      ratio === undefined ? '' : times(ratio),
      meanRatio === undefined ? '' : times(meanRatio),
      ...verdictOf(row),
    ];
  });
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((line) => line[column].length)),
  );
  const padded = (/** @type {string[]} */ line) =>
    line
      .map((cell, i) => (words.includes(heads[i]) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [padded(heads), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(padded)].join(
    '\n',
  );
};

/**
 * How many targets were met and how many not, in one sentence.
 * @param {readonly Judged[]} rows
 */
export const summary = (rows) => {
  const all = rows.flatMap(({ verdict }) => verdict?.word ?? []);
  const count = (/** @type {string} */ word) => all.filter((each) => each.startsWith(word)).length;
  return (
    `Of ${all.length} targets ${count('met')} are met, ${count('not met')} are not met, ` +
    `and for ${count('not here')} the peer is not here.`
  );
};

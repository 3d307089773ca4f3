// What each measure is to reach. A ratio is of times, so "ten times the calls a second" is at most 0.1 here.
/** @typedef {import('./harness.js').Row} Row */

/**
 * @typedef {object} Target
 * @property {string} measure
 * @property {readonly string[]} [against] the target holds against the best of these; nothing for a row of ours alone
 * @property {number | ((rows: readonly Row[]) => number)} atMost of the ratio, or of the figure itself; a function
 *   gets the rows of the measure
 */

/**
 * @typedef {object} Verdict
 * @property {number} atMost
 * @property {number} among how many peers of this target are here; this row is the best of them
 * @property {string} word
 */

/** @typedef {Row & { verdict?: Verdict }} Judged */

/** The contender whose both ends sleep between any two messages, so that each round trip pays for two wake-ups. */
export const SLEEPERS = 'two counters, ends sleep at once';
/** From this round trip of sleepers on, in microseconds, wake-ups are called dear. */
export const DEAR = 20;

/** How soon Erlang tells a monitor of a killed node, in microseconds. */
const ERLANG_EVENT = 5_000;

const wakeUpsAreDear = (/** @type {readonly Row[]} */ rows) =>
  rows.some(({ against }) => against?.name === SLEEPERS && (against.median ?? 0) > DEAR);

const threads = ['piscina', 'tinypool', 'workerpool', 'comlink', 'capnweb'];
const processes = ['workerpool, process', 'tinypool, child_process', 'child_process.fork'];

/** @type {readonly Target[]} */
export const targets = [
  { measure: 'awaited add(1, 2), virtual', against: ['two counters in shared memory'], atMost: 3 },
  { measure: 'awaited add(1, 2), sh', against: ['raw pipe, 64 bytes'], atMost: 1.5 },
  { measure: 'awaited add(1, 2), sh', against: ['raw pipe, ends sleep at once'], atMost: 1 },
  {
    measure: 'awaited add(1, 2), virtual and pools',
    against: threads,
    atMost: (rows) => (wakeUpsAreDear(rows) ? 0.1 : 0.25),
  },
  { measure: '20,000 add(1, 2) at once, each, virtual and pools', against: threads, atMost: 0.1 },
  { measure: '20,000 add(1, 2) at once, each, sh and pools', against: processes, atMost: 1 / 3 },
  { measure: 'awaited add(1, 2), sh and Erlang', against: ['erpc between two nodes'], atMost: 0.25 },
  {
    measure: '20,000 add(1, 2) at once, each, sh and Erlang',
    against: ['erpc from 32 processes'],
    atMost: 1 / 3,
  },
  ...['virtual', 'sh'].flatMap((fork) => [
    { measure: `pmap of 100000 trivial elements, each, ${fork}`, atMost: 5 },
    { measure: `pmap of 400 uneven elements, ${fork}`, against: ['the ideal schedule'], atMost: 1.1 },
    { measure: `broadcast of 80 MB to 8 workers, ${fork}`, against: ['sent to each by itself'], atMost: 1 },
  ]),
  { measure: '64 MiB there and back, virtual', against: ['memcpy twice, into new memory'], atMost: 2 },
  { measure: '64 MiB there and back, sh', against: ['raw pipe, back when all has come'], atMost: 2 },
  { measure: 'shared memory of 64 MiB to a virtual site', against: ['the same of 64 bytes'], atMost: 1.5 },
  { measure: 'awaited add(1, 2), WebSocket', against: ['raw ws, 64 bytes'], atMost: 1.3 },
  ...['virtual', 'sh'].flatMap((fork) => [
    { measure: `10,000 calls in flight, each, ${fork}`, against: ['10 in flight'], atMost: 1.3 },
    { measure: `1,000 references made and called, each, ${fork}`, against: ['10 of them'], atMost: 1.3 },
    { measure: `calls to 1,000 live references, each, ${fork}`, against: ['to 10 of them'], atMost: 1.3 },
    { measure: `100 streams at once, each, ${fork}`, against: ['10 at once'], atMost: 1.3 },
  ]),
  ...['small call object', '1,000 rows of 4 fields'].map((value) => {
    return { measure: `codec there and back: ${value}`, against: ['JSON as UTF-8 bytes'], atMost: 1.3 };
  }),
  { measure: 'codec there and back: Float64Array(100,000)', against: ['v8.serialize'], atMost: 1.3 },
  { measure: 'fork to ready, sh', against: ['node -e that writes a byte'], atMost: 1.15 },
  {
    measure: '32 at once, fork to all ready, sh',
    against: ['32 node -e that write a byte'],
    atMost: 1.15,
  },
  { measure: 'SIGKILL to event, sh', atMost: ERLANG_EVENT },
  { measure: 'SIGKILL to ready again, sh', against: ['fork to ready'], atMost: 1.2 },
  { measure: 'awaited job, local', atMost: 200 },
  { measure: '20000 jobs at once, each, local', atMost: 50 },
  { measure: 'awaited job, a daemon with TLS', atMost: 1_000 },
  { measure: '20000 jobs at once, each, a daemon with TLS', atMost: 200 },
  ...['virtual', 'sh'].map((fork) => ({ measure: `CPU of both ends, ${fork}, idle`, atMost: 0.5 })),
];

/**
 * Whether both ends of a link had one core between them, because others took the rest: an end that stays hot then
 * keeps the other from running, where one that sleeps lets it in, and neither floor nor ours shows what it can do.
 * @param {readonly Row[]} rows
 */
export const isCrowded = (rows) => {
  const floors = rows.filter(({ measure }) => measure === 'awaited add(1, 2), virtual');
  const of = (/** @type {string} */ name) =>
    floors.find(({ against }) => against?.name === name)?.against?.median;
  return (of('two counters in shared memory') ?? 0) > (of(SLEEPERS) ?? Number.POSITIVE_INFINITY);
};

/**
 * Says whether a row meets its target, by the median and by the mean; both are said where they differ.
 * @param {number} value
 * @param {number} ofMeans
 * @param {number} atMost
 */
const wordFor = (value, ofMeans, atMost) => {
  const met = value <= atMost;
  const word = met ? 'met' : 'not met';
  return met === ofMeans <= atMost ? word : `${word} (means: ${met ? 'not met' : 'met'})`;
};

/**
 * Judges the rows of one target, and returns which of them the verdict belongs to.
 * @param {readonly Row[]} rows
 * @param {Target} target
 * @returns {{ row: Row, verdict: Verdict } | undefined} nothing if the measure was not taken
 */
const judgeOne = (rows, { measure, against, atMost: bound }) => {
  const all = rows.filter((row) => row.measure === measure);
  // A figure of ours alone stands in its own row, or in the first of those with peers.
  const own = against ? all.filter((row) => against.includes(row.against?.name ?? '')) : all.slice(0, 1);
  if (own.length === 0) return undefined;
  const atMost = typeof bound === 'number' ? bound : bound(all);
  const figureOf = (/** @type {Row} */ row) => (against ? row.ratio : row.ours.median) ?? -1;
  const meanOf = (/** @type {Row} */ row) => (against ? row.meanRatio : row.ours.mean) ?? -1;
  const here = own.filter((row) => figureOf(row) >= 0);
  if (here.length === 0) {
    const absent = own[0].ours.absent ?? own[0].against?.absent ?? 'not here';
    return { row: own[0], verdict: { atMost, among: 0, word: absent } };
  }
  const row = here.reduce((best, next) => (figureOf(next) > figureOf(best) ? next : best));
  const ofMeans = Math.max(...here.map(meanOf));
  return { row, verdict: { atMost, among: here.length, word: wordFor(figureOf(row), ofMeans, atMost) } };
};

/**
 * Puts a verdict to each row that has a target.
 * @param {readonly Row[]} rows
 * @returns {Judged[]}
 */
export const judge = (rows) => {
  const verdicts = new Map(
    targets.flatMap((target) => {
      const judged = judgeOne(rows, target);
      return judged ? [[judged.row, judged.verdict]] : [];
    }),
  );
  return rows.map((row) => {
    const verdict = verdicts.get(row);
    return verdict ? { ...row, verdict } : row;
  });
};

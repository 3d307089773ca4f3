import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const HELP = `Feeds damaged traffic to sessions and looks whether anything but their own link comes to harm.

Usage: npm run fuzz -- [options]

  --seconds <n>   how long to go on (default 120)
  --seed <n>      where to begin; the same seed makes the same inputs (default: the time)
  --only <n>      nothing but the input of this number, as a failure tells it
  --help          this text

Examples:
  npm run fuzz -- --seconds 600
  npm run fuzz -- --seed 42
  npm run fuzz -- --seed 42 --only 1337

The exit code is 1 if an input did harm, and 2 for options that can't be.
`;

/** Bytes that the heap may have grown by when all inputs are over and collected. */
const MOST_GROWTH = 100 * 1024 * 1024;
/** How often the heap is looked at, in inputs. */
const LOOK_EVERY = 5_000;

const numberFrom = (text, name) => {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  process.stderr.write(`--${name} takes a number from 0 on, not ${JSON.stringify(text)}.\n`);
  process.exit(2);
};

const optionsFrom = () => {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '120' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
        only: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (cause) {
    process.stderr.write(`${cause.message}\n\n${HELP}`);
    return process.exit(2);
  }
};

const values = optionsFrom();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const seconds = numberFrom(values.seconds, 'seconds');
const seed = numberFrom(values.seed, 'seed');
const only = values.only === undefined ? undefined : numberFrom(values.only, 'only');

const { makeCorpus } = await import('./fuzz/corpus.js');
const { makeMutator, makeRandom } = await import('./fuzz/mutate.js');
const { makeBystander, tryInput } = await import('./fuzz/trial.js');

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const heap = () => {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

// What fails in here itself must not pass for success.
process.exitCode = 1;
process.stdout.write(`seed ${seed}\n`);
const corpus = await makeCorpus();
const bystander = makeBystander();
const before = heap();
const end = performance.now() + seconds * 1000;
let slowest = 0;
let done = 0;

const fail = (number, input, cause) => {
  const hex = input.frames.map(({ frame }) => frame.subarray(0, 4_096).toString('hex')).join('\n');
  process.stdout.write(`${hex}\n\n`);
  process.stdout.write(
    `Input ${number} of seed ${seed} did harm (each line above is a frame, up to 4 KiB):\n`,
  );
  process.stdout.write(
    `${cause.stack}\n${cause.cause?.stack ?? ''}\nnpm run fuzz -- --seed ${seed} --only ${number}\n`,
  );
  process.exit(1);
};

for (let number = only ?? 0; performance.now() < end; number++) {
  // Each input has a seed of its own, so that one can be made again without those before it.
  const input = makeMutator(makeRandom(Math.imul(seed, 0x9e3779b1) + number), corpus)();
  const start = performance.now();
  try {
    await tryInput(input, bystander);
    done++;
    if (done % LOOK_EVERY === 0) {
      const grown = heap() - before;
      if (grown > MOST_GROWTH) throw new Error(`The heap has grown by ${grown} bytes.`);
    }
  } catch (cause) {
    fail(number, input, cause);
  }
  slowest = Math.max(slowest, performance.now() - start);
  if (only !== undefined) break;
  if (process.stderr.isTTY && done % 500 === 0) process.stderr.write(`\r${done} inputs`);
}
if (process.stderr.isTTY) process.stderr.write('\r');
process.stdout.write(`${done} inputs did no harm; the slowest took ${Math.round(slowest)} ms.\n`);
process.exit(0);

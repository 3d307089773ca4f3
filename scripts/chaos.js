// Runs the chaos spec for longer, or again with the same random numbers: npm run chaos -- --faults 5000 --seed 42
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = `npm run chaos -- [--faults N] [--seed N] [--help]
Lets N random things go wrong (200 unless it is said) in a three-level tree of virtual, sh and ssh sites under load, and
looks whether a call hung, ran twice or got lost, and whether anything is left. The seed is printed; the same one plans the
same faults.

  npm run chaos -- --faults 5000
  npm run chaos -- --seed 42
`;

/** @param {string} text @param {string} option @param {number} least */
const numberFrom = (text, option, least) => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return String(value);
  process.stderr.write(`--${option} is a whole number from ${least} on, not ${text}.\n\n${USAGE}`);
  process.exit(2);
};

const options = /** @type {const} */ ({
  faults: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
});

/** What was asked for; ends with 2 for what can't be. */
const asked = () => {
  try {
    return parseArgs({ options }).values;
  } catch (cause) {
    process.stderr.write(`${/** @type {Error} */ (cause).message}\n\n${USAGE}`);
    process.exit(2);
  }
};

const { faults, seed, help } = asked();
if (help) {
  process.stdout.write(USAGE);
} else {
  const vitest = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'spec/chaos.spec.ts'], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(faults !== undefined && { CHAOS_FAULTS: numberFrom(faults, 'faults', 1) }),
      ...(seed !== undefined && { CHAOS_SEED: numberFrom(seed, 'seed', 0) }),
    },
  });
  vitest.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
}

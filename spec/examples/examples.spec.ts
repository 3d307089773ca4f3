import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const example = async (name: string): Promise<string> => {
  const { stdout } = await run(process.execPath, [`examples/${name}`]);
  return stdout;
};

test('a computation in a site answers early, and another one is given up', async () => {
  expect(await example('cancel.js')).toMatch(
    /^enough after 200 ms: 3\.\d{3} by some darts\ngiven up: ERR_OFFSITE_TIMEOUT\nnothing runs over there any more\n$/,
  );
});

test('rows come from a site until its caller has seen enough', async () => {
  expect(await example('rows.js')).toMatch(
    /^1: 20\.\d\d °C\n2: .*\n3: .*\nnothing is measured over there any more\n$/,
  );
});

test('a machine starts its actor again when its supervisor has started the host again, and that goes on where it was', async () => {
  expect(await example('comes-back.js')).toMatch(
    /^found 2, 3, 5, 7, 11 in process \d+, which is killed now\nERR_OFFSITE_CRASHED: the site died with [5-9] primes found\nfound 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37 in process \d+, after 1 death\n$/,
  );
});

test('puzzles are solved by the workers of a parallel search', async () => {
  expect(await example('parallel-search.js')).toMatch(
    /^SEND \+ MORE = MONEY: 9567 \+ 1085 = 10652\nSEND \+ MOST = MONEY, the most of it: 10876\n6 queens stand in 4 ways, found in .* s\n8 queens stand in 92 ways, .*\n10 queens stand in 724 ways, .*\n$/,
  );
});

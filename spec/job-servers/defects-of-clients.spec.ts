import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAll, waitUntilGone } from '../support/processes.ts';
import { fixture } from '../support/sites.ts';
import { chance, REPEATS } from './served.ts';

interface Said {
  readonly job?: string;
  readonly id?: string;
  readonly status?: string;
  readonly value?: unknown;
}

const started = new Set<number>();

/** A program that has a job server with this journal. */
const startClient = (journal: string, name: string) => {
  const words = [fileURLToPath(fixture('journal-client.js')), journal, '1', JSON.stringify({ name })];
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  started.add(child.pid!);
  const exit = once(child, 'exit');
  const said: Said[] = [];
  let told = () => {};
  createInterface(child.stdout).on('line', (line) => {
    said.push(JSON.parse(line) as Said);
    told();
  });
  return {
    order: (order: object) => child.stdin.write(`${JSON.stringify(order)}\n`),
    until: async (holds: (line: Said) => boolean): Promise<Said> => {
      for (;;) {
        const found = said.find(holds);
        if (found) return found;
        const more = new Promise<true>((resolve) => {
          told = () => resolve(true);
        });
        if ((await Promise.race([more, exit])) !== true)
          throw new Error('The client ended before it said that.');
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
    close: async () => {
      child.stdin.write('{"order":"close"}\n');
      await exit;
    },
  };
};

describe('a client that is killed', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'offsite-defects-'));
  });
  afterAll(() => {
    killAll(started);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Kills one client after the other, each of which has got what the one before it had begun. */
  const chain = async (name: string, repeats: number, random: (below: number) => number) => {
    const journal = join(folder, name);
    const effects = join(folder, `${name}.effects`);
    const runs = () => (existsSync(effects) ? readFileSync(effects, 'utf8').trim().split('\n') : []);
    const words = Array.from({ length: repeats }, (_, at) => `${name} ${at}`);
    let client = startClient(journal, name);
    for (const word of words) {
      const gate = join(folder, `${word}.gate`);
      client.order({ order: 'submit', name: 'until', args: [effects, word, gate] });
      const { job } = await client.until((said) => said.job !== undefined);
      // Some are killed when their job runs, the others when it was written down only, or is about to be sent.
      const isToRun = random(2) === 0;
      while (isToRun && !runs().some((run) => run.startsWith(`${word} `))) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.kill();
      writeFileSync(gate, '');
      client = startClient(journal, name);
      client.order({ order: 'attach', id: job });
      expect(await client.until(({ id }) => id === job)).toMatchObject({ status: 'finished', value: word });
    }
    await client.close();
    // None was run twice.
    expect(runs().map((run) => run.replace(/ \d+$/, ''))).toEqual(words);
    await waitUntilGone(
      runs().map((run) => Number(run.split(' ').at(-1))),
      5_000,
    );
  };

  test('D5. another client attaches to its jobs and gets their results, 20 times', async () => {
    const random = chance();
    await Promise.all([chain('first', REPEATS / 2, random), chain('second', REPEATS / 2, random)]);
  });
});

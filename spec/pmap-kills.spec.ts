import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RemoteManager } from '../lib/index.ts';
import * as here from './support/fixtures/pmap-kills.js';
import { closeTracked, fixture, track } from './support/sites.ts';

const ELEMENTS = 20_000;
const seed = Number(process.env.PMAP_SEED ?? Math.floor(Math.random() * 2 ** 31));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-pmap-'));
});
afterEach(async () => {
  await closeTracked();
  rmSync(folder, { recursive: true, force: true });
});

type Kills = typeof here;

test.each<[where: string, module: () => { mapWithKills: Kills['mapWithKills'] }]>([
  ['in this process', () => here],
  [
    'in a site below it',
    () =>
      track(new RemoteManager({ fork: 'sh', stdout: 'ignore', stderr: 'inherit' })).link<Kills>(
        fixture('pmap-kills.js'),
      ) as unknown as Kills,
  ],
])(
  'A map of 20,000 elements %s loses nothing when its workers are killed, and repeats nothing that has come',
  async (_where, module) => {
    console.log(`seed ${seed}, to be repeated with PMAP_SEED=${seed}`);
    const { killed, mistakes } = await module().mapWithKills(ELEMENTS, seed, join(folder, 'journal'));
    expect(mistakes).toEqual([]);
    expect(killed).toBeGreaterThan(10);
  },
  120_000,
);

import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hashOf, SourceCache } from '../../../lib/engine/loader/source-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite cache '));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const DAY = 24 * 3_600_000;
const bytes = Buffer.from('export {};');
const hash = hashOf(bytes);
const modules = () => join(folder, 'cache', 'offsite', 'modules');
const file = (name = hash) => join(modules(), name);
const modeOf = (path: string) => statSync(path).mode & 0o777;
/** Makes a file seem to be as old as that, in days. */
const age = (path: string, days: number) => {
  const time = new Date(Date.now() - days * DAY);
  utimesSync(path, time, time);
};

describe('a source', () => {
  test('is kept under its hash for the next site, for nobody else to read', async () => {
    const cache = new SourceCache();
    expect(cache.read(hash)).toBeUndefined();
    const umask = process.umask(0);
    await cache.keep([[hash, bytes]]).finally(() => process.umask(umask));
    expect(new SourceCache().read(hash)).toEqual(bytes);
    expect(readdirSync(modules()).sort()).toEqual([hash, 'tidied'].sort());
    expect([file(), modules(), file('tidied')].map(modeOf)).toEqual([0o600, 0o700, 0o600]);
    expect(modeOf(join(folder, 'cache', 'offsite'))).toBe(0o700);
  });

  test('is kept in the folder that XDG_CACHE_HOME says, or else in .cache at home', async () => {
    await new SourceCache().keep([[hash, bytes]]);
    expect(readFileSync(file())).toEqual(bytes);
    vi.stubEnv('XDG_CACHE_HOME', '');
    vi.stubEnv('HOME', join(folder, 'home'));
    expect(homedir()).toBe(join(folder, 'home'));
    await new SourceCache().keep([[hash, bytes]]);
    expect(readFileSync(join(folder, 'home', '.cache', 'offsite', 'modules', hash))).toEqual(bytes);
  });

  test.each<[string, (path: string) => void]>([
    ['is cut off', (path) => writeFileSync(path, bytes.subarray(0, 4))],
    ['is empty', (path) => writeFileSync(path, '')],
    ['was changed by somebody', (path) => writeFileSync(path, 'process.exit(1)')],
    ['is a folder', (path) => void [rmSync(path), mkdirSync(path)]],
  ])('that %s is not there', async (_what, damage) => {
    const cache = new SourceCache();
    await cache.keep([[hash, bytes]]);
    damage(file());
    expect(cache.read(hash)).toBeUndefined();
  });

  test('that was damaged is replaced when it is sent again', async () => {
    const cache = new SourceCache();
    await cache.keep([[hash, bytes]]);
    writeFileSync(file(), 'damaged');
    const descriptor = openSync(file(), 'r');
    await cache.keep([[hash, bytes]]);
    expect(cache.read(hash)).toEqual(bytes);
    // As a whole: who has begun to read the old one goes on with that.
    expect(readFileSync(descriptor, 'utf8')).toBe('damaged');
    closeSync(descriptor);
  });

  test.each(['', '.', '..', '../engine.cjs', '/etc/passwd', 'tidied', '\0'])(
    'is nothing that is no hash: %j',
    async (name) => {
      const cache = new SourceCache();
      await cache.keep([[hash, bytes]]);
      expect(cache.read(name)).toBeUndefined();
    },
  );

  test('is whole or not there at any moment, however many sites keep it at once', async () => {
    const large = Buffer.alloc(3_000_000, 'x');
    const name = hashOf(large);
    const keeping = Promise.all(
      Array.from({ length: 8 }, () => new SourceCache().keep([[name, large]])),
    ).then(() => 'done' as const);
    const cache = new SourceCache();
    let seen = 0;
    for (let state: unknown; state !== 'done'; ) {
      state = await Promise.race([keeping, new Promise(setImmediate)]);
      if (!readdirSync(join(folder)).includes('cache')) continue;
      const found = cache.read(name);
      // What is there is never half of it.
      if (found) seen++;
      else expect(seen).toBe(0);
    }
    expect(cache.read(name)?.length).toBe(large.length);
    expect(readdirSync(modules()).sort()).toEqual([name, 'tidied'].sort());
  });
});

describe('a cache that can not be written', () => {
  test('because its folder can not be made is no harm', async () => {
    // In the place of a folder, which nobody can write through: root may write wherever it wants.
    writeFileSync(join(folder, 'cache'), '');
    const cache = new SourceCache();
    await cache.keep([[hash, bytes]]);
    expect(cache.read(hash)).toBeUndefined();
  });

  test('because a folder stands in a file’s place leaves no drafts', async () => {
    mkdirSync(file(), { recursive: true });
    writeFileSync(join(file(), 'x'), '');
    await new SourceCache().keep([[hash, bytes]]);
    expect(readdirSync(modules())).toEqual([hash]);
  });

  test('because it is read-only still gives what it has', async () => {
    const cache = new SourceCache();
    await cache.keep([[hash, bytes]]);
    chmodSync(modules(), 0o500);
    const other = Buffer.from('other');
    await cache.keep([[hashOf(other), other]]);
    chmodSync(modules(), 0o700);
    expect(cache.read(hash)).toEqual(bytes);
    // Root may write there all the same.
    expect(readdirSync(modules()).filter((name) => name.includes('.'))).toEqual([]);
  });
});

describe('what nobody has used for a month', () => {
  const old = Buffer.from('old');
  const other = Buffer.from('other');

  test('is removed, engines too, when something is kept, and what is younger is not', async () => {
    await new SourceCache().keep([[hashOf(old), old]]);
    const engine = join(folder, 'cache', 'offsite', 'engine-of-old.cjs');
    const recent = join(folder, 'cache', 'offsite', 'engine-of-late.cjs');
    for (const path of [engine, recent]) writeFileSync(path, '');
    for (const path of [file(hashOf(old)), file('tidied'), engine]) age(path, 31);
    age(recent, 29);
    await new SourceCache().keep([[hash, bytes]]);
    expect(readdirSync(modules()).sort()).toEqual([hash, 'tidied'].sort());
    expect(readdirSync(join(folder, 'cache', 'offsite')).sort()).toEqual(['engine-of-late.cjs', 'modules']);
  });

  test('is looked for once a day', async () => {
    await new SourceCache().keep([[hashOf(old), old]]);
    age(file(hashOf(old)), 31);
    age(file('tidied'), 0.9);
    await new SourceCache().keep([[hash, bytes]]);
    expect(readdirSync(modules())).toContain(hashOf(old));
    age(file('tidied'), 1.1);
    await new SourceCache().keep([[hash, bytes]]);
    expect(readdirSync(modules())).not.toContain(hashOf(old));
    expect(Date.now() - statSync(file('tidied')).mtimeMs).toBeLessThan(DAY / 2);
  });

  test('is nothing that the site has used that looks for it', async () => {
    await new SourceCache().keep([
      [hashOf(old), old],
      [hashOf(other), other],
    ]);
    for (const name of [hashOf(old), hashOf(other), 'tidied']) age(file(name), 31);
    const cache = new SourceCache();
    cache.read(hashOf(old));
    await cache.keep([[hash, bytes]]);
    expect(cache.read(hashOf(old))).toEqual(old);
    expect(cache.read(hashOf(other))).toBeUndefined();
  });
});

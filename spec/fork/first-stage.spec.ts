import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BOOT_WORD, type BootLine } from '../../lib/engine/protocol.ts';
import { engineFile } from '../../lib/fork/engine-file.ts';
import { engineLine, engineWords, quote } from '../../lib/fork/first-stage.ts';
import type { ForkRequest } from '../../lib/fork/fork-method.ts';
import { RemoteManager, type RemoteManagerOptions } from '../../lib/index.ts';
import { killAll } from '../support/processes.ts';

const saved = { cache: process.env.XDG_CACHE_HOME, engine: process.env.OFFSITE_ENGINE };
const started = new Set<number>();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-cache '));
  delete process.env.OFFSITE_ENGINE;
});
afterEach(() => {
  killAll(started);
  started.clear();
  for (const [name, value] of [
    ['XDG_CACHE_HOME', saved.cache],
    ['OFFSITE_ENGINE', saved.engine],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

const request = (more: Partial<ForkRequest> = {}): ForkRequest => ({
  host: 'localhost',
  name: 'spec',
  detach: false,
  execArgv: [],
  engine: 'travel',
  sshOptions: [],
  timeout: 5_000,
  unreachableTimeout: 60_000,
  signal: new AbortController().signal,
  onLine: () => {},
  ...more,
});

/** Runs the first stage in a real shell, as every fork method does, with a cache of the spec's own. */
const boot = async (
  cache = folder,
  more: string[] = [],
): Promise<{ child: ChildProcess; line: BootLine }> => {
  const [file, ...args] = engineWords(request(), process.execPath);
  const child = spawn(file!, [...args, ...more], {
    stdio: 'pipe',
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  started.add(child.pid!);
  let text = '';
  while (!text.includes('\n')) text += String(((await once(child.stdout!, 'data')) as [Buffer])[0]);
  expect(text.startsWith(BOOT_WORD)).toBe(true);
  return { child, line: JSON.parse(text.slice(BOOT_WORD.length)) as BootLine };
};

const cached = () => join(folder, 'offsite', `engine-${engineFile().hash}.cjs`);

/** A command that leads nowhere else, but could: its engine travels. */
const elsewhere = { fork: ['env'], nodePath: process.execPath };

/** Starts a site that uses the spec's cache, and calls it once. */
const useSite = async (cache = folder, way: RemoteManagerOptions = elsewhere) => {
  process.env.XDG_CACHE_HOME = cache;
  await using site = new RemoteManager({ ...way, stdout: 'ignore', stderr: 'ignore' });
  return await site.link<typeof import('node:os')>({ name: 'node:os' }).homedir();
};

describe('the first stage', () => {
  test('says who it is and that it needs the engine, when there is none in the cache', async () => {
    const { child, line } = await boot();
    expect(line).toEqual({ node: process.versions.node, pid: child.pid, engine: false });
  });

  test('says that it has the engine when that is in the cache', async () => {
    mkdirSync(join(folder, 'offsite'));
    writeFileSync(cached(), engineFile().bytes);
    expect((await boot()).line.engine).toBe(true);
  });

  test('does not trust a cached engine whose hash is not right', async () => {
    mkdirSync(join(folder, 'offsite'));
    writeFileSync(cached(), 'process.exit(1)');
    expect((await boot()).line.engine).toBe(false);
  });

  test('keeps the engine that it was sent, for its user alone, and leaves nothing else', async () => {
    await useSite();
    expect(readFileSync(cached())).toEqual(engineFile().bytes);
    expect(statSync(cached()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'offsite')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'offsite'))).toHaveLength(1);
  });

  test('starts a site from the cache', async () => {
    await useSite();
    const first = statSync(cached());
    await useSite();
    const second = statSync(cached());
    expect([second.ino, second.mtimeMs]).toEqual([first.ino, first.mtimeMs]);
  });

  test("takes the manager's own file on this host, and keeps nothing", async () => {
    await useSite(folder, { fork: 'sh' });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("does not take the manager's own file when that was changed or has gone", async () => {
    const own = join(folder, 'engine.cjs');
    writeFileSync(own, 'process.exit(1)');
    const stamp = String(statSync(own).ctimeMs);
    expect((await boot(folder, [own, `${stamp}1`])).line.engine).toBe(false);
    expect((await boot(folder, [`${own}.gone`, stamp])).line.engine).toBe(false);
  });

  test('replaces a damaged engine in the cache by the one that it was sent', async () => {
    mkdirSync(join(folder, 'offsite'));
    writeFileSync(cached(), engineFile().bytes.subarray(0, 1_000));
    await useSite();
    expect(readFileSync(cached())).toEqual(engineFile().bytes);
  });

  test('starts a site where nothing can be kept', async () => {
    // A folder below a file can not be made, not even by root.
    writeFileSync(join(folder, 'file'), '');
    expect(await useSite(join(folder, 'file', 'cache'))).toBeTypeOf('string');
  });

  test('starts several sites at once with one empty cache', async () => {
    await Promise.all([useSite(), useSite(), useSite()]);
    expect(readdirSync(join(folder, 'offsite'))).toEqual([`engine-${engineFile().hash}.cjs`]);
  });

  test('takes an engine that arrives in small pieces, and refuses one that arrives damaged', async () => {
    const { child } = await boot();
    const exited = once(child, 'exit');
    let said = '';
    child.stderr!.on('data', (chunk) => {
      said += String(chunk);
    });
    const damaged = Buffer.from(engineFile().bytes);
    damaged[damaged.length >> 1]! ^= 1;
    for (let at = 0; at < damaged.length; at += 4_000) child.stdin!.write(damaged.subarray(at, at + 4_000));
    expect(await exited).toEqual([66, null]);
    expect(said).toMatch(/offsite: the engine arrived damaged/);
    expect(() => statSync(cached())).toThrow(/ENOENT/);
  });

  test('ends when its input does before the engine came', async () => {
    const { child } = await boot();
    const exited = once(child, 'exit');
    child.stdin!.end('half');
    expect((await exited)[0]).toBe(3);
  });

  test('fits into what every shell and login takes: no single quotes, no line feeds, no exclamation marks before letters', () => {
    const words = engineWords(request(), 'node');
    for (const word of words) {
      expect(word).not.toMatch(/['\n\r]/);
      expect(word).not.toMatch(/![a-z]/i);
    }
  });
});

describe('the words of an engine', () => {
  const { hash, bytes } = engineFile();
  const inShell = (node: string, env: NodeJS.ProcessEnv) => {
    const [, ...args] = engineWords(request(), node);
    return spawnSync('/bin/sh', args, {
      env: { XDG_CACHE_HOME: folder, ...env },
      encoding: 'utf8',
      input: '',
    });
  };

  test('say in a real shell that there is no node, and end with 127', () => {
    const { stderr, status } = inShell('node', { PATH: '/there-is-none', SHELL: '/there-is-no-shell' });
    expect(stderr).toMatch(
      /^offsite: node not found: node on the PATH \/there-is-none,.*\/there-is-no-shell$/m,
    );
    expect(status).toBe(127);
    const given = inShell('/opt/there-is-none/node', { PATH: process.env.PATH, SHELL: '/there-is-no-shell' });
    expect(given.stderr).toMatch(/^offsite: node not found: \/opt\/there-is-none\/node /m);
    expect(given.status).toBe(127);
  });

  test('find node by the login shell when it is not on the PATH', () => {
    // A PATH with all that the line needs, except node.
    const path = join(folder, 'bin');
    mkdirSync(path);
    symlinkSync(
      execFileSync('sh', ['-c', 'command -v tail'], { encoding: 'utf8' }).trim(),
      join(path, 'tail'),
    );
    const shell = join(folder, 'login shell');
    const profile = `#!/bin/sh\necho noise of a profile\necho ${quote(process.execPath)}\n`;
    writeFileSync(shell, profile, { mode: 0o755 });
    const { stdout } = inShell('node', { PATH: path, SHELL: shell });
    expect(stdout).toContain('"engine":false');
    expect(stdout.startsWith(BOOT_WORD)).toBe(true);
  });

  test('carry the options of Node.js and the path of node', () => {
    const words = engineWords(request({ execArgv: ['--max-old-space-size=64'] }), '/opt/node');
    expect(words.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    expect(words.slice(3, 6)).toEqual(['offsite', '/opt/node', '--max-old-space-size=64']);
    expect(words.slice(-2)).toEqual([hash, String(bytes.length)]);
  });

  test('name an installed engine when that is wanted, or what OFFSITE_ENGINE says', () => {
    expect(engineWords(request({ engine: 'installed' }), 'node')).toEqual([
      '/bin/sh',
      '-c',
      expect.stringMatching(/^exec offsite engine /),
    ]);
    process.env.OFFSITE_ENGINE = '/opt/offsite/bin/offsite engine';
    expect(engineWords(request(), 'node')[2]).toMatch(/^exec \/opt\/offsite\/bin\/offsite engine /);
  });

  test('are one line for a login shell, which begins with exec', () => {
    const line = engineLine(request({ nodePath: "/opt/it's node/node" }));
    expect(line.startsWith('exec /bin/sh -c ')).toBe(true);
    expect(line).not.toContain('\n');
  });
});

describe('a quoted word', () => {
  const through = (words: readonly string[]) =>
    execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(quote).join(' ')}`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1);

  test.each([
    '',
    ' ',
    'plain-word_1.2/3:4,5=6@7%8+9',
    "it's",
    "'",
    "''",
    '"',
    '$HOME',
    '`id`',
    '$(id)',
    '\\',
    'a\nb',
    '*',
    '~',
    '#',
    '!x',
    ';',
    '&&',
    '-n',
    '{a,b}',
    'größe 🙂',
  ])('goes through a real shell as it is: %j', (word) => {
    expect(through([word])).toEqual([word]);
  });

  test('goes through a real shell twice', () => {
    const words = ["it's", '$HOME', 'a b'];
    const line = `printf '%s\\0' ${words.map(quote).join(' ')}`;
    expect(execFileSync('sh', ['-c', `exec sh -c ${quote(line)}`], { encoding: 'utf8' })).toBe(
      words.map((word) => `${word}\0`).join(''),
    );
  });

  test('goes through a real shell whatever it holds', () => {
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    // One shell for many words: starting one takes longer than reading them.
    fc.assert(
      fc.property(fc.array(word, { minLength: 30, maxLength: 60 }), (words) => {
        expect(through(words)).toEqual(words);
      }),
      { numRuns: 15 },
    );
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseKeys } from '../../lib/access/key-file.ts';
import { parsePasswords } from '../../lib/access/password-file.ts';
import { bin, offsite, root } from './cli.ts';

/** Gives a command a terminal; `-c` is that of util-linux, not of BSD. */
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0;

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'offsite-access-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
};
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
const keysIn = (file: string) =>
  parseKeys(readFileSync(file, 'utf8'), file).map(({ user, domain }) => `${user} ${domain}`);

describe('offsite keygen', () => {
  test("makes a key for its user alone, where the user's own is looked for, and never shows or overwrites it", async () => {
    const config = folder();
    const env = { XDG_CONFIG_HOME: config };
    const file = join(config, 'offsite', 'key');
    const made = await offsite(['keygen', '--user', 'ada'], '', env);
    expect([made.code, made.stdout]).toEqual([0, '']);
    expect(keysIn(file)).toEqual(['ada use']);
    expect([modeOf(file), modeOf(join(config, 'offsite'))]).toEqual(['600', '700']);
    const before = readFileSync(file, 'utf8');
    expect(made.stderr).not.toContain(before.trim().split(' ')[3]);
    expect(made.stderr).toMatch(/: offsite serve --secret-file FILE$/m);
    const again = await offsite(['keygen'], '', env);
    expect(again.code).toBe(64);
    expect(again.stderr).toContain('is there already');
    expect(readFileSync(file, 'utf8')).toBe(before);
    const added = await offsite(['keygen', '--user', 'root', '--admin', '--append'], '', env);
    expect(added.code).toBe(0);
    expect(keysIn(file)).toEqual(['ada use', 'root admin']);
    const node = await offsite(['keygen', '--node', '--out', join(config, 'node.key')], '', env);
    expect(node.stderr).toMatch(/: offsite scheduler --secret-file FILE$/m);
  });

  test('writes one to the standard output if that is asked for, and adds only to what is a file of keys', async () => {
    const other = join(folder(), 'notes');
    writeFileSync(other, 'dear diary\n', { mode: 0o600 });
    const [out, added, name] = await Promise.all([
      offsite(['keygen', '--user', 'bob', '--out', '-']),
      offsite(['keygen', '--append', '--out', other]),
      offsite(['keygen', '--user', 'a b', '--out', '-']),
    ]);
    expect([out.code, out.stderr]).toEqual([0, '']);
    expect(parseKeys(out.stdout, 'it')).toHaveLength(1);
    expect(added.code).toBe(1);
    expect(added.stderr).toContain('is not a key');
    expect(readFileSync(other, 'utf8')).toBe('dear diary\n');
    expect([name.code, name.stdout]).toEqual([64, '']);
  });
});

describe('offsite passwd', () => {
  test('sets, changes and takes away passwords that come by the standard input', async () => {
    const file = join(folder(), 'passwords');
    const users = () =>
      [...parsePasswords(readFileSync(file, 'utf8'), file).verifiers].map(
        ([user, { domain }]) => `${user} ${domain}`,
      );
    const ada = await offsite(['passwd', 'ada', '--file', file], 'correct horse\n');
    expect([ada.code, ada.stdout]).toEqual([0, '']);
    expect([modeOf(file), users()]).toEqual(['600', ['ada use']]);
    const first = readFileSync(file, 'utf8');
    expect((await offsite(['passwd', 'ada', '--file', file, '--admin'], 'battery staple')).code).toBe(0);
    expect([modeOf(file), users()]).toEqual(['600', ['ada admin']]);
    const second = readFileSync(file, 'utf8');
    expect(second.split('\n')[1]).toBe(first.split('\n')[1]);
    for (const text of [ada.stderr, first, second]) expect(text).not.toMatch(/horse|battery/);
    expect((await offsite(['passwd', 'ada', '--file', file, '--remove'])).code).toBe(0);
    expect(users()).toEqual([]);
    const twice = await offsite(['passwd', 'ada', '--file', file, '--remove']);
    expect(twice.code).toBe(64);
    expect(twice.stderr).toContain('has no password of ada');
  });

  test('takes none from the command line, and no empty one', async () => {
    const file = join(folder(), 'passwords');
    const [typed, empty, nowhere] = await Promise.all([
      offsite(['passwd', 'ada', 'hunter2', '--file', file]),
      offsite(['passwd', 'ada', '--file', file], '\n'),
      offsite(['passwd', 'ada'], 'x'),
    ]);
    for (const { code } of [typed, empty, nowhere]) expect(code).toBe(64);
    expect(typed.stderr).not.toContain('hunter2');
    expect(empty.stderr).toContain('is empty');
    expect(existsSync(file)).toBe(false);
  });

  test.skipIf(!hasScript)('asks for one twice at a terminal, which shows nothing of it', async () => {
    const file = join(folder(), 'passwords');
    /** Types two lines, each when it is asked for. */
    const type = async (first: string, second: string) => {
      const command = [process.execPath, bin, 'passwd', 'ada', '--file', file].join(' ');
      const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: root });
      let shown = '';
      const typed = [first, second];
      child.stdout.on('data', (chunk: Buffer) => {
        const before = shown;
        shown += chunk.toString();
        for (const prompt of ['A password for ada: ', 'Once more: '])
          if (!before.includes(prompt) && shown.includes(prompt)) child.stdin.write(typed.shift()!);
      });
      const [code] = (await once(child, 'close')) as [number];
      return { code, shown };
    };
    const differ = await type('correct horse\r', 'correct\r');
    expect(differ.code).toBe(64);
    expect(differ.shown).toContain('are not the same');
    expect(existsSync(file)).toBe(false);
    // With letters that were taken back.
    const { code, shown } = await type('correct hx\u007forse\r', 'x\u0015correct horse\r');
    expect([code, shown.includes('The password of ada is set')]).toEqual([0, true]);
    for (const text of [shown, differ.shown]) expect(text).not.toMatch(/correct|horse/);
    expect((await type('\u0003', '')).code).toBe(130);
  });
});

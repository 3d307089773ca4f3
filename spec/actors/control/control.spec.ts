import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { treeOf } from '../../../actors/control/ask.ts';
import { controlled } from '../../../actors/control/sockets.ts';
import { expose, unexpose } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';

let home = '';
/** Where the sockets are expected. */
const folder = (): string => join(home, 'offsite');
/** The programs with a socket there; others may have theirs in other folders of this user. */
const pidsHere = (): number[] =>
  controlled().flatMap(({ pid, path }) => (path.startsWith(folder()) ? [pid] : []));
const before = process.env.XDG_RUNTIME_DIR;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  process.env.XDG_RUNTIME_DIR = home;
});
afterEach(async () => {
  await unexpose();
  if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
  else process.env.XDG_RUNTIME_DIR = before;
  rmSync(home, { recursive: true, force: true });
});

/** What comes back for some bytes, until the other end closes. */
const say = async (path: string, bytes: string): Promise<string> => {
  const socket = connect(path);
  let said = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  socket.write(bytes);
  await once(socket, 'close');
  return said;
};

describe('the control socket', () => {
  test('lies in a folder that is private to its user, tells the tree, and goes when it is taken away', async () => {
    const path = await expose();
    expect(path).toBe(join(home, 'offsite', `${process.pid}.sock`));
    expect(await expose()).toBe(path);
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(pidsHere()).toEqual([process.pid]);
    expect(await treeOf(process.pid)).toMatchObject({ kind: 'root', pid: process.pid });
    await unexpose();
    expect(existsSync(path)).toBe(false);
    expect((await rejection(treeOf(process.pid))).message).toMatch(
      /offers no control socket.*or calls expose\(\)/,
    );
  });

  test('is put nowhere, and nobody waits, where the folder can not be made or is named by a relative path', async () => {
    // A folder of which the kernel says that it is not there, whoever wants to make something in it.
    process.env.XDG_RUNTIME_DIR = process.platform === 'linux' ? '/proc' : join(home, 'missing');
    if (process.getuid?.() === 0) {
      expect(await rejection(expose())).toMatchObject({ code: 'ERR_OFFSITE_FOLDER' });
    }
    process.env.XDG_RUNTIME_DIR = 'relative';
    expect((await expose()).startsWith(tmpdir())).toBe(true);
  });

  test('is not put into a folder that others can enter, nor looked for there', async () => {
    mkdirSync(folder());
    chmodSync(folder(), 0o755);
    writeFileSync(join(folder(), `${process.pid}.sock`), '');
    expect(await rejection(expose())).toMatchObject({ code: 'ERR_OFFSITE_FOLDER' });
    expect(await rejection(treeOf(process.pid))).toMatchObject({ code: 'ERR_OFFSITE_FOLDER' });
    expect(pidsHere()).toEqual([]);
    chmodSync(folder(), 0o700);
    expect(await expose()).toMatch(/\.sock$/);
  });

  test('takes the place of those that ended programs have left', async () => {
    mkdirSync(folder(), { mode: 0o700 });
    // No process has a number beyond what Linux gives out.
    const stale = join(folder(), '99999999.sock');
    const own = join(folder(), `${process.pid}.sock`);
    for (const path of [stale, own, join(folder(), 'other')]) writeFileSync(path, '');
    await expose();
    expect(existsSync(stale)).toBe(false);
    expect(existsSync(join(folder(), 'other'))).toBe(true);
    expect(await treeOf(process.pid)).toMatchObject({ pid: process.pid });
  });

  test.each([
    ['another question', '{"close":true}\n', /There is no such question/],
    ['what is no JSON', 'tree\n', /error.*JSON/],
    ['null', 'null\n', /error/],
    ['a line that is too long', `${'x'.repeat(2_000)}\n`, /^$/],
    ['no end of a line that is too long', 'x'.repeat(2_000), /^$/],
  ])('is not harmed by %s', async (_what, bytes, answer) => {
    const path = await expose();
    expect(await say(path, bytes)).toMatch(answer);
    expect(await treeOf(process.pid)).toMatchObject({ pid: process.pid });
  });

  test('is found by a login that knows another runtime folder, or none', async () => {
    const long = join(home, 'x'.repeat(90));
    mkdirSync(long);
    process.env.XDG_RUNTIME_DIR = long;
    // Too long for a socket, so it lies where everybody's folders can.
    expect(dirname(await expose())).not.toContain(home);
    process.env.XDG_RUNTIME_DIR = home;
    expect(await treeOf(process.pid)).toMatchObject({ pid: process.pid });
    expect(controlled().map(({ pid }) => pid)).toContain(process.pid);
  });
});

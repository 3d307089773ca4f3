import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { treeOf } from '../../../actors/control/ask.ts';
import { controlFolder, controlled } from '../../../actors/control/folder.ts';
import { expose, unexpose } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';

let home = '';
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
    expect(statSync(controlFolder()).mode & 0o777).toBe(0o700);
    expect(controlled()).toEqual([process.pid]);
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
    expect(await rejection(expose())).toMatchObject({ code: 'ENOENT' });
    process.env.XDG_RUNTIME_DIR = 'relative';
    expect(controlFolder().startsWith(tmpdir())).toBe(true);
  });

  test('is not put into a folder that others can enter, nor looked for there', async () => {
    mkdirSync(controlFolder());
    chmodSync(controlFolder(), 0o755);
    expect(await rejection(expose())).toMatchObject({ code: 'ERR_OFFSITE_CONTROL' });
    expect(await rejection(treeOf(process.pid))).toMatchObject({ code: 'ERR_OFFSITE_CONTROL' });
    expect(() => controlled()).toThrow(/not a private one/);
    chmodSync(controlFolder(), 0o700);
    expect(await expose()).toMatch(/\.sock$/);
  });

  test('takes the place of those that ended programs have left', async () => {
    mkdirSync(controlFolder(), { mode: 0o700 });
    // No process has a number beyond what Linux gives out.
    const stale = join(controlFolder(), '99999999.sock');
    const own = join(controlFolder(), `${process.pid}.sock`);
    for (const path of [stale, own, join(controlFolder(), 'other')]) writeFileSync(path, '');
    await expose();
    expect(existsSync(stale)).toBe(false);
    expect(existsSync(join(controlFolder(), 'other'))).toBe(true);
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

  test('is refused where its path would be too long, and says what to do', async () => {
    process.env.XDG_RUNTIME_DIR = join(home, 'x'.repeat(120));
    expect((await rejection(expose())).message).toMatch(/too long for a socket; set XDG_RUNTIME_DIR/);
  });
});

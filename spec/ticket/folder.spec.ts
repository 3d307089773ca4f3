import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isPrivateFolder, makePrivateFolder, privateRoots } from '../../lib/ticket/folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
  vi.stubEnv('XDG_RUNTIME_DIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a private folder', () => {
  test('lies in the runtime folder of its user, who alone can look into it', () => {
    const made = makePrivateFolder();
    expect(dirname(made)).toBe(join(folder, 'offsite'));
    expect([modeOf(made), modeOf(dirname(made))]).toEqual([0o700, 0o700]);
    expect(privateRoots()).toContain(dirname(made));
  });

  test('lies in the folder for temporary files if there is no runtime folder, or it is not the user’s', () => {
    const temporary = join(tmpdir(), `offsite-${process.getuid?.()}`);
    for (const runtime of ['', 'relative', join(folder, 'absent'), join(folder, 'open')]) {
      mkdirSync(join(folder, 'open'), { recursive: true });
      chmodSync(join(folder, 'open'), 0o777);
      vi.stubEnv('XDG_RUNTIME_DIR', runtime);
      const made = makePrivateFolder();
      expect(dirname(made)).toBe(temporary);
      rmSync(made, { recursive: true });
    }
  });

  test('has a path that a socket can have, however long the names around it are', () => {
    const long = join(folder, 'x'.repeat(90));
    mkdirSync(long);
    vi.stubEnv('XDG_RUNTIME_DIR', long);
    const made = makePrivateFolder();
    expect(Buffer.byteLength(join(made, 'pulse'))).toBeLessThanOrEqual(103);
    rmSync(made, { recursive: true });
  });

  test.each([0o701, 0o710, 0o777, 0o750])('is refused if its mode is %o', (mode) => {
    mkdirSync(join(folder, 'offsite'));
    chmodSync(join(folder, 'offsite'), mode);
    expect(() => makePrivateFolder()).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_FOLDER', message: expect.stringContaining('mode') }),
    );
    expect(privateRoots()).not.toContain(join(folder, 'offsite'));
  });

  test('is refused if it is a link or a file, whose owner could turn it', () => {
    mkdirSync(join(folder, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'offsite'));
    expect(() => makePrivateFolder()).toThrow('is no folder');
  });

  test('is refused if it belongs to somebody else', () => {
    const root = process.getuid?.() === 0;
    // Only root can give a folder away; for everybody else there is always one of root's.
    if (root) chownSync(folder, 54_321, 54_321);
    expect(() => isPrivateFolder(root ? folder : '/')).toThrow('belongs to the user');
    const made = makePrivateFolder();
    if (root) expect(dirname(made)).not.toBe(join(folder, 'offsite'));
    rmSync(made, { recursive: true });
  });

  test('that is not there is none', () => {
    expect(isPrivateFolder(join(folder, 'absent'))).toBe(false);
  });
});

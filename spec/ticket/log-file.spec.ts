import { mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLog } from '../../lib/ticket/clerk.ts';
import { LogFile, openLog } from '../../lib/ticket/log-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const logged = async (lines?: number): Promise<string> => {
  let all = '';
  for await (const chunk of readLog(folder, lines === undefined ? {} : { lines })) all += chunk.toString();
  return all;
};

describe('a log', () => {
  test('that is full becomes the older one, and no third one is kept', () => {
    const log = new LogFile(folder, 10);
    for (const line of ['first of\n', 'second\n', 'third of\n', 'fourth\n', 'fifth\n']) log.write(line);
    expect([text('log.1'), text('log')]).toEqual(['third of\nfourth\n', 'fifth\n']);
    log.close();
  });

  test('can be read by its user only', () => {
    new LogFile(folder, 1).close();
    const log = new LogFile(folder, 1);
    log.write('over the limit');
    expect(['log', 'log.1'].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    log.close();
  });

  test('is kept small although native code fills it, which goes on in the new one', () => {
    const log = new LogFile(folder, 100);
    const native = openLog(folder);
    writeSync(native, 'x'.repeat(500));
    log.turn();
    writeSync(native, 'native again\n');
    log.write('and JavaScript\n');
    expect([text('log.1').length, text('log')]).toEqual([500, 'native again\nand JavaScript\n']);
    log.close();
  });

  test('is read as one with the older one, to its last lines', async () => {
    const log = new LogFile(folder, 11);
    for (const line of ['one\n', 'two two\n', 'three\n', '\n', 'four']) log.write(line);
    expect(await logged()).toBe('one\ntwo two\nthree\n\nfour');
    expect(await logged(0)).toBe('');
    expect(await logged(1)).toBe('four');
    expect(await logged(3)).toBe('three\n\nfour');
    expect(await logged(99)).toBe('one\ntwo two\nthree\n\nfour');
    log.close();
  });

  test('that is not there is empty', async () => {
    expect(await logged(5)).toBe('');
  });
});

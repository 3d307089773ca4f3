import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { joinTicketText } from '../../lib/ticket/join-ticket.ts';
import { newPass } from '../../lib/ticket/keys.ts';
import { offsite, start } from './cli.ts';

/** A ticket of a program that is not there: nobody listens on that port. */
const nobodys = joinTicketText({ host: '127.0.0.1', port: 1, ...newPass(), name: 'the cluster' });

const fileWith = (text: string, mode: number): string => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-ticket-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ticket');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

describe('offsite join', () => {
  test('has its ticket from the standard input or a file of its user alone', async () => {
    const [piped, filed, open] = await Promise.all([
      offsite(['join'], nobodys),
      offsite(['join', '--ticket-file', fileWith(nobodys, 0o600)]),
      offsite(['join', '--ticket-file', fileWith(nobodys, 0o640)]),
    ]);
    for (const { code, stderr, stdout } of [piped, filed]) {
      expect(code).toBe(1);
      expect(stderr).toContain('Nothing listens at 127.0.0.1:1, where the cluster should be');
      expect(stdout).toBe('');
    }
    expect(open.code).toBe(64);
    expect(open.stderr).toContain('can be read by others');
    expect(open.stderr).toContain('chmod 600');
  });

  test('refuses a ticket on the command line, and does not repeat it', async () => {
    const { code, stderr } = await offsite(['join', nobodys]);
    expect(code).toBe(64);
    expect(stderr).not.toContain(nobodys.slice(0, 40));
  });

  test('says what is wrong with a ticket that is none', async () => {
    const { code, stderr } = await offsite(['join'], 'hunter2');
    expect(code).toBe(1);
    expect(stderr).toContain('it does not begin with "offsite-ticket:"');
  });

  test('goes on dialling with --retry, until Ctrl-C', async () => {
    const joiner = start(['join', '--retry']);
    onTestFinished(() => void joiner.child.kill('SIGKILL'));
    joiner.child.stdin.end(nobodys);
    await joiner.until('stderr', /Nothing listens[\s\S]*Nothing listens/);
    joiner.child.kill('SIGINT');
    expect(await joiner.ended).toMatchObject({ code: 130 });
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RemoteManager } from '../../lib/index.ts';
import { type Ended, linesOf, offsite, type Running, start } from './cli.ts';

/** What `--json` says first. */
interface Serving {
  readonly event: 'serving';
  readonly pid: number;
  readonly name: string;
  readonly cpus: number;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
}

/** A user of his own, as far as daemons can be found: their control sockets lie in his folder. */
const newcomer = () => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-serve-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = { XDG_RUNTIME_DIR: folder, OFFSITE_CONTROL: '1' };
  const ask = (...words: string[]): Promise<Ended> => offsite(words, '', env);
  const serve = async (...words: string[]): Promise<{ daemon: Running; serving: Serving; port: number }> => {
    const daemon = start(['serve', '--port', '0', '--json', ...words], env);
    onTestFinished(async () => {
      daemon.child.kill('SIGKILL');
      await daemon.ended;
    });
    const [line] = await daemon.until('stdout', /^.*\n/);
    const serving = JSON.parse(line) as Serving;
    return { daemon, serving, port: serving.addresses[0]!.port };
  };
  return { folder, env, ask, serve };
};

const eventsOf = ({ output }: Running): string[] =>
  (linesOf(output.stdout) as { event: string }[]).map(({ event }) => event);

const siteAt = async (port: number): Promise<RemoteManager> => {
  const site = new RemoteManager({ host: `127.0.0.1:${port}`, fork: 'daemon', name: 'guest' });
  onTestFinished(() => site.close());
  await site.ready;
  return site;
};

describe('offsite serve', { timeout: 60_000 }, () => {
  test('says in one line that it serves, keeps its pid file meanwhile, and ends in order at SIGTERM', async () => {
    const { folder, env } = newcomer();
    const pidFile = join(folder, 'serve.pid');
    const daemon = start(['serve', '-p', '0', '--name', 'bamse', '--cpus', '3', '-P', pidFile], env);
    onTestFinished(() => void daemon.child.kill('SIGKILL'));
    const [line] = await daemon.until('stderr', /^.*\n/);
    expect(line).toMatch(
      new RegExp(
        `^offsite: bamse serves at 127\\.0\\.0\\.1:\\d+.* \\(pid ${daemon.child.pid}, 3 cpus, no credentials, so this host only\\)`,
      ),
    );
    expect(readFileSync(pidFile, 'utf8')).toBe(`${daemon.child.pid}\n`);
    const second = await offsite(['serve', '-p', '0', '-P', pidFile], '', env);
    expect(second).toMatchObject({ code: 64, stdout: '' });
    expect(second.stderr).toContain(`says that the process ${daemon.child.pid} serves already`);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(existsSync(pidFile)).toBe(false);
  });

  test('is seen and steered by the commands of its user', async () => {
    const { ask, serve } = newcomer();
    const { daemon, serving, port } = await serve('--cpus', '2', '--name', 'bamse', '--label', 'gpu=a100');
    const who = `The daemon at port ${port} (process ${serving.pid})`;
    const status = await ask('status', '--json');
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      name: 'bamse',
      pid: serving.pid,
      cpus: 2,
      free: 2,
      state: 'serving',
      labels: { gpu: 'a100' },
    });
    const site = await siteAt(port);
    await daemon.until('stdout', /"event":"site"/);
    const [table, listed] = await Promise.all([ask('status'), ask('clients', '--json')]);
    expect(table.stdout).toContain('cpus     2, 1 free');
    expect(table.stdout).toMatch(/^USER +FROM +SINCE +SITE +PID +RUNS\n.*guest +\d+ /m);
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { sites: [{ name: expect.stringContaining('guest') }] },
    ]);
    expect(await ask('set-cpus', '1', '--json')).toMatchObject({ code: 0, stdout: '{"cpus":1,"free":0}\n' });
    expect(await ask('set-cpus', 'many')).toMatchObject({ code: 64 });
    const draining = ask('drain');
    await daemon.until('stdout', /"state":"draining"/);
    await site.close();
    expect(await draining).toMatchObject({ code: 0, stdout: `${who} is drained: nothing runs there.\n` });
    expect(await ask('resume')).toMatchObject({ code: 0, stdout: `${who} is serving.\n` });
    expect(await ask('stop', '--now')).toMatchObject({ code: 0, stdout: `${who} has ended.\n` });
    expect(await daemon.ended).toMatchObject({ code: 0 });
    expect(eventsOf(daemon)).toEqual(
      expect.arrayContaining(['serving', 'client', 'site', 'siteEnded', 'ended']),
    );
    expect(await ask('status')).toMatchObject({ code: 1, stdout: '' });
  });

  test('drains at the first signal, and kills what runs at the second', async () => {
    const { serve } = newcomer();
    const { daemon, port } = await serve();
    const site = await siteAt(port);
    daemon.child.kill('SIGINT');
    await daemon.until('stdout', /"state":"draining"/);
    expect(site.state).toBe('ready');
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 143 });
  });

  test('prints the status at SIGUSR1 and serves on', async () => {
    const { serve } = newcomer();
    const { daemon } = await serve('--name', 'bamse');
    daemon.child.kill('SIGUSR1');
    await daemon.until('stderr', /^name +bamse.*\n[\s\S]*\nruns +Offsite /);
    daemon.child.kill('SIGTERM');
    expect(await daemon.ended).toMatchObject({ code: 0 });
  });

  test('of several daemons the one that was meant is asked, and else all are named', async () => {
    const { ask, serve } = newcomer();
    const [one, two] = await Promise.all([serve('--name', 'one'), serve('--name', 'two')]);
    const unclear = await ask('status');
    expect(unclear.code).not.toBe(0);
    for (const text of ['one (port', 'two (port', String(one.port), String(two.port), '--port']) {
      expect(unclear.stderr).toContain(text);
    }
    const [byName, byPort] = await Promise.all([
      ask('status', '--json', '--name', 'two'),
      ask('status', '--json', '--port', String(one.port)),
    ]);
    expect(JSON.parse(byName.stdout)).toMatchObject({ pid: two.serving.pid });
    expect(JSON.parse(byPort.stdout)).toMatchObject({ pid: one.serving.pid });
  });

  test('goes to the background and returns when it serves there', async () => {
    const { folder, ask } = newcomer();
    const log = join(folder, 'log');
    const started = await ask('serve', '-p', '0', '--daemon', '--log-file', log, '--json', '--name', 'bamse');
    expect(started.code).toBe(0);
    const { pid } = JSON.parse(started.stdout) as Serving;
    onTestFinished(() => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    });
    expect(JSON.parse((await ask('status', '--json')).stdout)).toMatchObject({ pid, state: 'serving' });
    expect(statSync(log).mode & 0o777).toBe(0o600);
    expect(await ask('stop')).toMatchObject({ code: 0 });
    expect(readFileSync(log, 'utf8')).toContain('"event":"serving"');
  });

  test('a daemon that can not serve says why, in the background too', async () => {
    const { folder, ask } = newcomer();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const words = ['serve', '-p', String(port), '--host', '127.0.0.1'];
    const [here, there] = await Promise.all([
      ask(...words),
      ask(...words, '--daemon', '--log-file', join(folder, 'log')),
    ]);
    for (const { code, stderr } of [here, there]) {
      expect(code).toBe(1);
      expect(stderr).toContain(`127.0.0.1:${port}`);
    }
  });

  test('without credentials it does not listen to others, and says what makes some', async () => {
    const { env } = newcomer();
    const daemon = start(['serve', '-p', '0', '--host', '0.0.0.0'], env);
    onTestFinished(() => void daemon.child.kill('SIGKILL'));
    await daemon.until('stderr', /offsite keygen/);
    expect(await daemon.ended).toMatchObject({ code: 64 });
  });

  test('saves its options instead of serving, and is started with them', async () => {
    const { folder, ask, serve } = newcomer();
    const file = join(folder, 'node.json');
    const words = [
      '--cpus',
      '2',
      '--max-file-size',
      '10m',
      '--service-start',
      '6:00',
      '--service-end',
      '5:59',
    ];
    const printed = await ask('serve', ...words, '--save-config');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(printed.stdout)).toEqual({
      cpus: 2,
      'max-file-size': '10m',
      'service-start': '6:00',
      'service-end': '5:59',
    });
    writeFileSync(file, printed.stdout);
    expect(await ask('serve', '--config', file, '--save-config')).toMatchObject({ stdout: printed.stdout });
    const { serving } = await serve('--config', file, '--cpus', '1');
    expect(serving.cpus).toBe(1);
  });

  test('--help has every option with its other names', async () => {
    const { stdout } = await offsite(['serve', '--help']);
    for (const text of [
      '-i, --ip-addr, --host',
      '-c, --cpus',
      '--save-config',
      'EXAMPLES',
      'WHO MAY COME IN',
    ]) {
      expect(stdout).toContain(text);
    }
  });

  test.each([[['serve', 'hunter2']], [['set-cpus']]])('%j makes no sense', async (words) => {
    const { code, stderr } = await offsite(words);
    expect(code).toBe(64);
    expect(stderr).not.toContain('hunter2');
  });

  test('is steered from afar by a key of the domain admin, and by no other', async () => {
    const { folder, ask, serve } = newcomer();
    const [keys, user] = [join(folder, 'keys'), join(folder, 'user')];
    await ask('keygen', '--admin', '--out', keys);
    await ask('keygen', '--user', 'ada', '--out', user);
    const theirs = join(folder, 'theirs');
    writeFileSync(theirs, readFileSync(keys, 'utf8') + readFileSync(user, 'utf8'), { mode: 0o600 });
    const { port } = await serve('--host', '127.0.0.1', '--secret-file', theirs, '--name', 'bamse');
    const from = (file: string) => ['--host', `127.0.0.1:${port}`, '--secret-file', file];
    const [seen, refused] = await Promise.all([
      ask('status', '--json', ...from(keys)),
      ask('drain', ...from(user)),
    ]);
    expect(JSON.parse(seen.stdout)).toMatchObject({ name: 'bamse', state: 'serving' });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('admin');
    expect(await ask('stop', ...from(keys))).toMatchObject({ code: 0 });
  });

  test('--clean takes the place of the one before it, with its pid file and its folder', async () => {
    const { folder, serve } = newcomer();
    const words = ['--dest-path-prefix', join(folder, 'sites'), '--pid-file', join(folder, 'pid')];
    const first = await serve(...words, '--port', '0');
    const second = await serve(...words, '--port', String(first.port), '--clean');
    expect(await first.daemon.ended).toMatchObject({ code: 0 });
    expect(second.port).toBe(first.port);
    expect(readFileSync(join(folder, 'pid'), 'utf8')).toBe(`${second.serving.pid}\n`);
  });

  test('says in the words of the command line which option the daemon found wrong', async () => {
    const { env } = newcomer();
    const hours = ['--service-start', '17:00', '--service-stop', '9:00', '--service-end', '8:00'];
    const { code, stderr } = await offsite(['serve', '-p', '0', ...hours], '', env);
    expect(code).toBe(64);
    expect(stderr).toContain('The option --service-stop is not right: it is 09:00, which is not after start');
  });
});

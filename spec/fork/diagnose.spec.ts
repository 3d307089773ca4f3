import { describe, expect, test } from 'vitest';
import { explainExit, explainSpawn, explainVersion } from '../../lib/fork/diagnose.ts';
import { ForkError } from '../../lib/fork/errors.ts';

const request = { engine: 'travel' } as const;

const failureOf = (stderr: string, exitCode: number | null = 255) =>
  explainExit({ exitCode, signal: null, stderr: stderr.split('\n') }, request);

describe('why a command ended before the engine spoke', () => {
  // As OpenSSH, dash, bash, busybox, Docker and Node.js print them.
  test.each<[string, string, number]>([
    ['connect', 'ssh: Could not resolve hostname bamse: Name or service not known', 255],
    ['connect', 'ssh: Could not resolve hostname bamse: Temporary failure in name resolution', 255],
    ['connect', 'ssh: connect to host 127.0.0.1 port 1: Connection refused', 255],
    ['connect', 'ssh: connect to host 10.255.255.1 port 22: Connection timed out', 255],
    ['connect', 'ssh: connect to host 10.0.0.9 port 22: No route to host', 255],
    ['connect', 'ssh: connect to host 10.0.0.9 port 22: Network is unreachable', 255],
    ['connect', 'kex_exchange_identification: Connection closed by remote host', 255],
    ['connect', 'kex_exchange_identification: read: Connection reset by peer', 255],
    ['connect', 'Connection closed by 127.0.0.1 port 22', 255],
    ['host-key', 'Host key verification failed.', 255],
    [
      'host-key',
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nIT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\nHost key verification failed.',
      255,
    ],
    [
      'host-key',
      'No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\nHost key verification failed.',
      255,
    ],
    ['login', 'ada@bamse: Permission denied (publickey).', 255],
    ['login', 'ada@bamse: Permission denied (publickey,password,keyboard-interactive).', 255],
    ['login', 'Permission denied, please try again.', 255],
    [
      'login',
      'Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 127.0.0.1 port 22',
      255,
    ],
    ['node', 'offsite: 1: exec: node: not found', 127],
    ['node', 'sh: 1: exec: node: not found', 127],
    ['node', 'offsite: line 1: exec: node: not found', 127],
    ['node', 'bash: line 1: node: command not found', 127],
    ['node', 'sh: node: not found', 127],
    ['node', "/usr/bin/env: 'node': No such file or directory", 127],
    ['node', 'offsite: 1: exec: /opt/node/bin/node: not found', 127],
    ['node', 'node: bad option: --max-old-space=1', 9],
    ['node', '/usr/local/bin/node: bad option: --nonsense', 9],
    ['node', 'nothing that is known', 127],
    ['node', 'sh: 1: exec: /opt/js: Permission denied', 126],
    ['engine', 'sh: 1: exec: offsite: not found', 127],
    ['engine', 'bash: line 1: offsite: command not found', 127],
    ['engine', 'offsite: the engine arrived damaged', 66],
    ['command', 'offsite: command not found: srun', 127],
    ['exit', 'Error response from daemon: No such container: bamse', 1],
    ['exit', '', 1],
  ])('is the step %s after %j', (step, stderr, exitCode) => {
    const failure = failureOf(stderr, exitCode);
    expect(failure.step).toBe(step);
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.stderr).toEqual(stderr.split('\n'));
    expect(failure.what).toMatch(/\.$/);
    expect(failure.remedy).toMatch(/\.$/);
  });

  test('is told with what was printed: the command, the option, the failure', () => {
    expect(failureOf('offsite: command not found: srun', 127).what).toContain('"srun"');
    expect(failureOf('node: bad option: --nonsense', 9).what).toContain('--nonsense');
    expect(failureOf('ssh: connect to host x port 1: Connection refused').what).toContain(
      'Connection refused',
    );
  });

  test('is told by the signal or exit code when nothing that is known was printed', () => {
    expect(explainExit({ exitCode: null, signal: 'SIGKILL', stderr: [] }, request)).toMatchObject({
      step: 'exit',
      what: expect.stringContaining('SIGKILL'),
    });
    expect(failureOf('', 42).what).toContain('42');
  });

  test('is the missing node when a real shell does not find it, and says where it was looked for', () => {
    const line = 'offsite: node not found: node on the PATH /bin, nor by the login shell /bin/sh';
    expect(failureOf(line, 127)).toMatchObject({
      step: 'node',
      what: expect.stringMatching(/neither node on the PATH \/bin, nor by the login shell \/bin\/sh/),
    });
  });

  test('is the engine when that is to be installed there and its command can not be run', () => {
    const death = { exitCode: 127, signal: null, stderr: ['sh: 1: /opt/x: Permission denied'] };
    expect(explainExit(death, { engine: 'installed' }).step).toBe('engine');
  });
});

describe('why a command could not be run', () => {
  test('is that it is not there', () => {
    const cause = Object.assign(new Error('spawn srun ENOENT'), { code: 'ENOENT' });
    expect(explainSpawn('srun', cause)).toMatchObject({
      step: 'command',
      what: 'the command "srun" was not found.',
      cause,
    });
  });

  test('is another reason, which is named', () => {
    expect(explainSpawn('srun', { code: 'EACCES' }).what).toMatch(/"srun" could not be run \(EACCES\)/);
    expect(explainSpawn('srun', { code: 'EMFILE' }).remedy).toMatch(/ulimit -n/);
    expect(explainSpawn('srun', new Error('strange')).what).toMatch(/strange/);
  });
});

describe('the error of a fork that failed', () => {
  test('says to whom, what, what was printed last and what to do', () => {
    const lines = ['one', 'two', 'three', 'Connection refused'];
    const error = new ForkError(
      'bamse',
      explainExit({ exitCode: 255, signal: null, stderr: lines }, request),
    );
    expect(error).toMatchObject({
      name: 'ForkError',
      code: 'ERR_OFFSITE_FORK',
      step: 'connect',
      exitCode: 255,
      signal: null,
      stderr: lines,
    });
    expect(error.message).toMatch(/^bamse could not be started: the host could not be reached/);
    expect(error.message).toContain('two / three / Connection refused');
    expect(error.message).not.toContain('one /');
    expect(error.message.endsWith(error.remedy)).toBe(true);
  });

  test('has a cause only if there is one, and null for what is not known', () => {
    const error = new ForkError('bamse', { step: 'aborted', what: 'it was closed.', remedy: 'Nothing.' });
    expect(error).toMatchObject({ exitCode: null, signal: null, stderr: [] });
    expect('cause' in error).toBe(false);
  });
});

describe('a version of Node.js', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '24.11.1', '100.0.0'])(
    '%s is one that a site can have',
    (version) => {
      expect(explainVersion(version)).toBeUndefined();
    },
  );

  test.each(['20.18.3', '18.20.8', '4.9.1', 'nonsense'])('%s is refused, with both versions', (version) => {
    expect(explainVersion(version)).toMatchObject({ step: 'version' });
    expect(explainVersion(version)?.what).toContain(`Node.js ${version} `);
    expect(explainVersion(version)?.what).toContain(process.versions.node);
  });
});

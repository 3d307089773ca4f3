import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { checkOptions, type RemoteManagerOptions } from '../../actors/remote-manager/options.ts';
import { RemoteManager } from '../../lib/index.ts';
import { OptionError } from '../../lib/wire/errors.ts';

describe('options', () => {
  test('all have a default', () => {
    expect(checkOptions({})).toEqual({
      host: 'localhost',
      fork: 'automatic',
      detach: false,
      execArgv: [],
      timeout: 30_000,
      stdout: 'inherit',
      stderr: 'inherit',
      engine: 'travel',
      sshOptions: [],
      serve: [],
      heartbeat: 1_000,
      unreachableTimeout: 60_000,
    });
  });

  test('that are undefined are like those that are left out', () => {
    const nothing = {
      host: undefined,
      fork: undefined,
      name: undefined,
      timeout: undefined,
      stdout: undefined,
    };
    expect(checkOptions(nothing)).toMatchObject({ host: 'localhost', fork: 'automatic', timeout: 30_000 });
  });

  test('are taken as they are', () => {
    const options: RemoteManagerOptions = {
      host: 'ada@bamse:2222',
      fork: ['docker', 'exec', '-i', '{host}'],
      detach: true,
      name: 'bamse',
      cwd: '/tmp',
      env: { A: 'b', C: undefined },
      execArgv: ['--max-old-space-size=64'],
      timeout: 1,
      signal: new AbortController().signal,
      stdout: () => {},
      stderr: new PassThrough(),
      engine: 'installed',
      nodePath: '/opt/node',
      sshOptions: ['-J', 'gate'],
      serve: ['/tmp'],
      heartbeat: 40,
      unreachableTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    };
    const checked = checkOptions(options);
    expect(checked).toEqual(options);
    expect([checked.signal, checked.stdout, checked.stderr]).toEqual([
      options.signal,
      options.stdout,
      options.stderr,
    ]);
  });

  test.each<[string, unknown]>([
    ['host', 7],
    ['host', ''],
    ['host', 'two words'],
    ['host', '-oProxyCommand=x'],
    ['host', 'bamse:99999'],
    ['fork', 7],
    ['fork', ''],
    ['fork', []],
    ['fork', ['sh', 7]],
    ['fork', null],
    ['detach', 'yes'],
    ['name', ''],
    ['name', 7],
    ['cwd', 7],
    ['env', 'A=b'],
    ['env.A', { A: 7 }],
    ['execArgv', '--inspect'],
    ['execArgv.1', ['--inspect', 7]],
    ['timeout', 0],
    ['timeout', -1],
    ['timeout', Number.NaN],
    ['timeout', Number.POSITIVE_INFINITY],
    ['timeout', 2 ** 31],
    ['timeout', '1s'],
    ['heartbeat', 39],
    ['heartbeat', Number.POSITIVE_INFINITY],
    ['unreachableTimeout', 0],
    ['unreachableTimeout', Number.NaN],
    ['signal', {}],
    ['signal', new AbortController()],
    ['stdout', 'somewhere'],
    ['stdout', null],
    ['stderr', {}],
    ['engine', 'remote'],
    ['nodePath', 7],
    ['sshOptions', '-J gate'],
    ['serve.0', ['/there/is/none']],
    ['resourceLimits', 64],
    ['hosts', 'bamse'],
    ['retry', 1],
  ])('are refused with the name of the option: %s', (path, value) => {
    const option = path.split('.')[0]!;
    try {
      checkOptions({ [option]: value } as RemoteManagerOptions);
      expect.unreachable('they were taken');
    } catch (error) {
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_OPTION' });
      expect((error as OptionError).option.split('.')[0]).toBe(option);
      // A union is refused as a whole; all else with the path to the part that is not right.
      if (option !== 'fork') expect((error as OptionError).option).toBe(path);
      expect((error as Error).message.endsWith('.')).toBe(true);
    }
  });

  test('that do not exist are said not to', () => {
    expect(() => checkOptions({ hosts: 'x' } as RemoteManagerOptions)).toThrow(
      'There is no option "hosts" for a RemoteManager.',
    );
  });

  test.each([null, 7, 'bamse'])('are an object, and not %j', (options) => {
    expect(() => checkOptions(options as unknown as RemoteManagerOptions)).toThrow(
      expect.objectContaining({ option: 'options' }),
    );
  });

  test('that are not right are refused before anything is started', () => {
    expect(() => new RemoteManager({ timeout: 0 })).toThrow(expect.objectContaining({ option: 'timeout' }));
  });
});

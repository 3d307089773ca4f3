import { realpathSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { functor, LocalManager, OptionError } from '../../../lib/index.ts';
import { closeTracked } from '../../support/sites.ts';
import { configsOf, launchAll } from './launched.ts';

afterEach(closeTracked);

const whoAmI = functor({ import: {} }, () => ({
  pid: () => process.pid,
  folder: () => process.cwd(),
  flags: () => process.execArgv.filter((flag) => flag.startsWith('--')),
  env: (name: string) => process.env[name],
}));

describe('LocalManager', () => {
  test('starts as many processes as it is told, or one a core', async () => {
    const launched = await launchAll(new LocalManager(2));
    const pids = await Promise.all(launched.map(({ site }) => site.apply(whoAmI).pid()));
    expect(new Set([...pids, process.pid]).size).toBe(3);
    expect(await configsOf(new LocalManager('auto'))).toHaveLength(availableParallelism());
    expect(() => new LocalManager(0)).toThrow(OptionError);
    expect(() => new LocalManager(1.5)).toThrow(/1.5 workers/);
  });

  test('starts threads if it is told', async () => {
    const [worker] = await launchAll(new LocalManager(1, { fork: 'virtual' }));
    expect(await worker!.site.apply(whoAmI).pid()).toBe(process.pid);
  });

  test('gives a worker its folder, variables and flags, and Node.js by a word or several (behaviours 10, 11, 14)', async () => {
    const folder = realpathSync(tmpdir());
    const given = { dir: folder, env: { OFFSITE_TEST_GIVEN: 'yes' }, exeflags: '--no-deprecation' };
    for (const exename of [process.execPath, ['env', process.execPath]]) {
      const [worker] = await launchAll(new LocalManager(1, { ...given, exename }));
      const there = worker!.site.apply(whoAmI);
      expect(await there.folder()).toBe(folder);
      expect(await there.env('OFFSITE_TEST_GIVEN')).toBe('yes');
      expect(await there.flags()).toContain('--no-deprecation');
    }
  });

  test('keeps its workers to this host unless restrict is false', async () => {
    expect((await configsOf(new LocalManager(1)))[0]!.bind).toBeUndefined();
    expect((await configsOf(new LocalManager(1, { restrict: false })))[0]!.bind).toMatch(/./);
  });

  test('prints as Julia prints it (behaviour 145)', () => {
    expect(`${new LocalManager(2)} ${inspect(new LocalManager(2))}`).toBe('LocalManager() LocalManager()');
  });
});

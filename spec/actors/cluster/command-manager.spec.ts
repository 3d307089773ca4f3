import { afterEach, describe, expect, test } from 'vitest';
import { CommandManager, functor, OptionError } from '../../../lib/index.ts';
import { closeTracked } from '../../support/sites.ts';
import { configsOf, launchAll } from './launched.ts';

afterEach(closeTracked);

const where = functor({ import: {} }, () => ({ pod: () => process.env.POD, id: () => process.env.ID }));

describe('CommandManager', () => {
  test('starts workers by any command, on each host as many as it is told, each with an id of its own', async () => {
    const manager = new CommandManager(['env', 'POD={host}', 'ID={id}'], {
      hosts: ['red', 'blue'],
      count: 2,
    });
    const launched = await launchAll(manager);
    const there = await Promise.all(
      launched.map(async ({ site }) => [await site.apply(where).pod(), await site.apply(where).id()]),
    );
    expect(there.map(([pod]) => pod)).toEqual(['red', 'blue', 'red', 'blue']);
    expect(new Set(there.map(([, id]) => id)).size).toBe(4);
    for (const [, id] of there) expect(id).toMatch(/^[0-9a-f]{8}$/);
  });

  test('has one worker on this host unless it is told otherwise, and passes on what a site is told', async () => {
    const [only, ...more] = await configsOf(new CommandManager(['env'], { site: { timeout: 7 } }));
    expect(only!.site).toEqual({ host: 'localhost', fork: ['env'], timeout: 7 });
    expect(more).toEqual([]);
  });

  test('refuses what is no command, and options that it does not have', () => {
    expect(() => new CommandManager([])).toThrow(OptionError);
    expect(() => new CommandManager(['env'], { hosts: [] })).toThrow(/hosts/);
    expect(() => new CommandManager(['env'], { pods: 2 } as never)).toThrow(/no option "pods"/);
    expect(String(new CommandManager(['kubectl', 'exec']))).toBe('CommandManager(kubectl exec)');
  });
});

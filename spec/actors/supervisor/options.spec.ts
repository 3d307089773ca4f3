import { describe, expect, test } from 'vitest';
import { OptionError, Supervisor } from '../../../lib/index.ts';
import { Troupe } from './actors.ts';

const start = new Troupe().logic('a');

describe('the options of a supervisor', () => {
  test.each([
    [{ strategy: 'all' }, 'strategy'],
    [{ intensity: -1 }, 'intensity'],
    [{ intensity: 1.5 }, 'intensity'],
    [{ period: 0 }, 'period'],
    [{ autoShutdown: 'always' }, 'autoShutdown'],
    [{ backoff: { jitter: 2 } }, 'backoff.jitter'],
    [{ backoff: { first: 2 } }, 'backoff.first'],
    [{ clock: {} }, 'clock'],
    [{ name: '' }, 'name'],
    [{ childs: [] }, 'childs'],
    [{ children: [{ start }] }, 'id'],
    [{ children: [{ id: '', start }] }, 'id'],
    [{ children: [{ id: 'a' }] }, 'start'],
    [{ children: [{ id: 'a', start: {} }] }, 'start'],
    [{ children: [{ id: 'a', start, restart: 'always' }] }, 'restart'],
    [{ children: [{ id: 'a', start, shutdown: -1 }] }, 'shutdown'],
    [{ children: [{ id: 'a', start, shutdown: 'kill' }] }, 'shutdown'],
    [{ children: [{ id: 'a', start, type: 'manager' }] }, 'type'],
    [{ children: [{ id: 'a', start, modules: [] }] }, 'modules'],
    [{ children: [{ id: 'a', start, significant: true, restart: 'transient' }] }, 'significant'],
    [{ autoShutdown: 'any_significant', children: [{ id: 'a', start, significant: true }] }, 'significant'],
    [
      {
        children: [
          { id: 'a', start },
          { id: 'a', start },
        ],
      },
      'children',
    ],
  ])('are refused at the door, with the name of what is wrong: %j', (options, option) => {
    let error: unknown;
    try {
      new Supervisor(options as never);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
    expect((error as Error).message).toMatch(/^[A-Z].*\.$/);
  });

  test('may be left out', async () => {
    await using supervisor = new Supervisor();
    expect(supervisor.name).toMatch(/^supervisor\/\d+$/);
    expect(supervisor.strategy).toBe('one_for_one');
    await supervisor.ready;
  });

  test('are checked also for a child that is started later', async () => {
    await using supervisor = new Supervisor();
    await expect(supervisor.startChild({ id: 'a' } as never)).rejects.toThrow(OptionError);
  });
});

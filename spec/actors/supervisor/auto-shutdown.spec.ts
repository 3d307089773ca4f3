import { describe, expect, test } from 'vitest';
import { Troupe } from './actors.ts';

const significant = { restart: 'transient', significant: true } as const;

describe('a supervisor that shuts itself down', () => {
  test('does so when any significant child has ended', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', troupe.spec('b', significant), troupe.spec('c', significant)], {
      autoShutdown: 'any_significant',
    });
    await supervisor.ready;
    troupe.news();
    await troupe.end('b', 'normal');
    expect(troupe.news()).toBe('xb -c -a');
    expect(await supervisor.ended).toEqual({ reason: 'auto-shutdown' });
  });

  test('does so when all of them have, however many others live', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(
      ['a', troupe.spec('b', significant), troupe.spec('c', { restart: 'temporary', significant: true })],
      { autoShutdown: 'all_significant' },
    );
    await supervisor.ready;
    await troupe.end('b', 'normal');
    expect(supervisor.state).toBe('running');
    troupe.news();
    await troupe.end('c', 'crashed');
    expect(troupe.news()).toBe('xc -a');
    expect(await supervisor.ended).toEqual({ reason: 'auto-shutdown' });
  });

  test('does not while another significant child is being restarted', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise([troupe.spec('a', significant), troupe.spec('b', significant)], {
      autoShutdown: 'all_significant',
      backoff: { initial: 10 },
    });
    await supervisor.ready;
    await troupe.end('a', 'crashed');
    await troupe.end('b', 'normal');
    expect(supervisor.child('a').state).toBe('restarting');
    expect(supervisor.state).toBe('running');
    await supervisor.close();
  });

  test('does not when a significant child is started again, was terminated by hand, or ended with its group', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(
      ['a', troupe.spec('b', significant), troupe.spec('c', { restart: 'temporary', significant: true })],
      { autoShutdown: 'any_significant', strategy: 'one_for_all', intensity: 9 },
    );
    await supervisor.ready;
    await troupe.end('b', 'crashed');
    expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(['a', 'b']);
    await supervisor.terminateChild('b');
    expect(supervisor.state).toBe('running');
    await supervisor.close();
  });

  test('is no failure for the one above: a transient one stays down', async () => {
    const troupe = new Troupe();
    const start = () =>
      troupe.supervise([troupe.spec('b', significant)], { autoShutdown: 'any_significant' });
    const top = troupe.supervise(['a', { id: 'inner', start, restart: 'transient' }], { intensity: 0 });
    await top.ready;
    await troupe.end('b', 'normal');
    expect(top.child('inner').state).toBe('down');
    expect(top.child('inner').exit).toEqual({ reason: 'shutdown', cause: { reason: 'auto-shutdown' } });
    await top.close();
  });
});

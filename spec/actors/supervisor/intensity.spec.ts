import { describe, expect, test } from 'vitest';
import { RestartWindow } from '../../../actors/supervisor/intensity.ts';
import { IntensityError, type Supervisor } from '../../../lib/index.ts';
import { Troupe } from './actors.ts';

const HOUR = 3_600_000;

describe('the intensity', () => {
  test.each([
    [0, 1],
    [1, 2],
    [3, 4],
  ])('%i lets the supervisor end at death %i within the period', async (intensity, last) => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { intensity });
    await supervisor.ready;
    for (let death = 1; death < last; death++) {
      await troupe.end('a');
      expect(supervisor.state).toBe('running');
    }
    troupe.news();
    await troupe.end('a');
    expect(troupe.news()).toBe('xa -b');
    const { reason, cause } = await supervisor.ended;
    expect(reason).toBe('intensity');
    expect(cause).toBeInstanceOf(IntensityError);
    expect(cause).toMatchObject({ code: 'ERR_OFFSITE_INTENSITY', id: 'a', cause: { message: 'a crashed' } });
  });

  test('is 1 within 5 seconds if nothing else is said', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    await supervisor.ready;
    await troupe.end('a');
    troupe.clock.increment(5_001);
    await troupe.end('a');
    expect(supervisor.state).toBe('running');
    troupe.clock.increment(5_000);
    await troupe.end('a');
    expect(supervisor.state).toBe('ended');
  });

  test.each([
    [999, 'ended'],
    [1_000, 'ended'],
    [1_001, 'running'],
  ])('counts a restart %i ms after another within a period of 1000: %s', async (ms, state) => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a'], { intensity: 1, period: 1_000 });
    await supervisor.ready;
    await troupe.end('a');
    troupe.clock.increment(ms);
    await troupe.end('a');
    expect(supervisor.state).toBe(state);
    await supervisor.close();
  });

  test('counts the restarts of all children together', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b', 'c'], { intensity: 2 });
    await supervisor.ready;
    for (const name of ['a', 'b']) await troupe.end(name);
    expect(supervisor.state).toBe('running');
    await troupe.end('c');
    expect(supervisor.state).toBe('ended');
  });

  test('does not count ends after which nothing is started again', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(
      [troupe.spec('a', { restart: 'temporary' }), troupe.spec('b', { restart: 'transient' }), 'c'],
      { intensity: 0 },
    );
    await supervisor.ready;
    await troupe.end('a');
    await troupe.end('b', 'normal');
    await supervisor.terminateChild('c');
    await supervisor.restartChild('c');
    expect(supervisor.state).toBe('running');
    await supervisor.close();
  });

  test('may be passed never: an hour of deaths, one each six seconds, is lived through', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    await supervisor.ready;
    const start = troupe.clock.now();
    while (troupe.clock.now() - start < HOUR) {
      await troupe.end('a');
      troupe.clock.increment(6_000);
    }
    expect(supervisor.state).toBe('running');
    expect(supervisor.child('a').restarts).toBe(600);
    await supervisor.close();
  });

  test('says to nobody but the warnings of this process that the supervisor has ended, if nobody looks at it', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const troupe = new Troupe();
    troupe.supervise(['a'], { intensity: 0, name: 'unwatched' });
    await troupe.end('a').catch(() => {});
    expect((await warned).message).toMatch(/^unwatched gave up: a would have been restart 1 within 5000 ms/);
  });

  test('warns nobody if somebody looks', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const troupe = new Troupe();
    const supervisor: Supervisor = troupe.supervise(['a'], { intensity: 0 });
    const exit = new Promise((resolve) => supervisor.on('exit', resolve));
    await troupe.end('a').catch(() => {});
    await exit;
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('the window of restarts', () => {
  test('forgets what is older than the period, and nothing younger', () => {
    let now = 0;
    const window = new RestartWindow(2, 10, () => now);
    expect([window.allows(), window.allows(), window.allows()]).toEqual([true, true, false]);
    now = 10;
    expect(window.allows()).toBe(false);
    now = 11;
    expect(window.allows()).toBe(true);
    expect(window.allows()).toBe(false);
  });

  test('keeps nothing if everything is allowed', () => {
    const window = new RestartWindow(Infinity, 10, () => 0);
    for (let i = 0; i < 1_000; i++) expect(window.allows()).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { rejection } from '../../support/sites.ts';
import { settle, Troupe } from './actors.ts';

describe('a child', () => {
  test('stays the same object while what it stands for changes, and tells of it', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', 'b'], { backoff: { initial: 10, jitter: 0 } });
    const a = supervisor.child('a');
    const told: string[] = [];
    a.on('up', (current) => told.push(`up ${current === a.current}`))
      .on('down', ({ reason }) => told.push(`down ${reason} ${a.state} ${a.current === undefined}`))
      .on('gone', () => told.push('gone'));
    supervisor
      .on('up', ({ id }) => told.push(`${id} is up`))
      .on('down', ({ id }, { reason }) => told.push(`${id} ${reason}`));
    await supervisor.ready;
    const first = a.current;
    told.splice(0);
    await troupe.end('a', 'killed');
    expect(told.splice(0)).toEqual(['down killed restarting true', 'a killed']);
    troupe.clock.increment(10);
    await settle();
    expect(told.splice(0)).toEqual(['up true', 'a is up']);
    expect(a.current).not.toBe(first);
    await supervisor.close();
    expect(told).toEqual(['b shutdown', 'down shutdown gone true', 'gone', 'a shutdown']);
  });

  test('can be waited for until it is up', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a'], { backoff: { initial: 10, jitter: 0 } });
    const a = supervisor.child('a');
    expect(await a.whenUp()).toBe(a.current);
    await troupe.end('a');
    let up = false;
    const waiting = a.whenUp().then((current) => {
      up = true;
      return current;
    });
    await settle();
    expect(up).toBe(false);
    troupe.clock.increment(10);
    expect(await waiting).toBe(a.current);
    await supervisor.close();
  });

  test('is waited for no longer than its time-out, or until its signal is aborted', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a'], { backoff: { initial: 1_000, jitter: 0 } });
    await supervisor.ready;
    await troupe.end('a');
    const a = supervisor.child('a');
    const late = rejection(a.whenUp({ timeout: 100 }));
    const abort = new AbortController();
    const given = rejection(a.whenUp({ signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect((await given).message).toBe('enough');
    expect((await rejection(a.whenUp({ signal: abort.signal }))).message).toBe('enough');
    troupe.clock.increment(100);
    expect(await late).toMatchObject({
      code: 'ERR_OFFSITE_TIMEOUT',
      waited: 100,
      cause: { message: 'a crashed' },
    });
    expect((await rejection(a.whenUp({ timeout: -1 }))).code).toBe('ERR_OFFSITE_OPTION');
    await supervisor.close();
  });

  test('is not waited for in vain: when nothing will start it by itself, those who wait are told so', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a', troupe.spec('b', { restart: 'transient' })], {
      backoff: { initial: 10 },
    });
    await supervisor.ready;
    await troupe.end('b', 'normal');
    const b = await rejection(supervisor.child('b').whenUp());
    expect(b).toMatchObject({ code: 'ERR_OFFSITE_CHILD_DOWN', id: 'b' });
    expect(b.message).toBe(
      "b is down (it ended: normal) and is not started by itself. Start it with restartChild('b').",
    );
    await troupe.end('a');
    const a = supervisor.child('a');
    const waiting = rejection(a.whenUp());
    await supervisor.terminateChild('a');
    expect((await waiting).code).toBe('ERR_OFFSITE_CHILD_DOWN');
    await supervisor.restartChild('a');
    await supervisor.close();
    expect((await rejection(a.whenUp())).code).toBe('ERR_OFFSITE_NO_CHILD');
  });

  test('whose id is taken again by a new one stays gone', async () => {
    const troupe = new Troupe();
    const supervisor = troupe.supervise(['a']);
    await supervisor.ready;
    const old = supervisor.child('a');
    await supervisor.terminateChild('a');
    await supervisor.deleteChild('a');
    await supervisor.startChild(troupe.spec('a'));
    expect(old.state).toBe('gone');
    expect(supervisor.child('a')).not.toBe(old);
    await supervisor.close();
  });
});

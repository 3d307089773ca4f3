import { afterEach, describe, expect, test } from 'vitest';
import { settle, Troupe } from './actors.ts';

describe('x', () => {
  test('a', async () => {
    const t = new Troupe();
    const s = t.supervise(['a', 'b', 'c']);
    await s.ready;
    expect(t.news()).toBe('+a +b +c');
    await t.end('b');
    expect(t.news()).toBe('xb +b');
    await t.end('c');
    expect(t.news()).toBe('xc -b -a');
    expect(await s.ended).toMatchObject({ reason: 'intensity' });
  });
  test('b', async () => {
    const t = new Troupe();
    const s = t.supervise(['a', 'b', 'c'], { strategy: 'rest_for_one' });
    await s.ready;
    t.news();
    await t.end('b');
    expect(t.news()).toBe('xb -c +b +c');
    await s.close();
    expect(t.news()).toBe('-c -b -a');
  });
});

import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Viewers } from '../../../../actors/job-server/monitor/viewers.ts';
import { Figures } from './watched.ts';

/** A connection that takes as much as it is told to. */
class Connection extends EventEmitter {
  readonly written: string[] = [];
  takesMore = true;
  ended = false;

  writeHead(): this {
    return this;
  }

  write(text: string): boolean {
    this.written.push(text);
    return this.takesMore;
  }

  end(text: string): void {
    this.written.push(text);
    this.destroy();
  }

  destroy(): void {
    this.ended = true;
    this.emit('close');
  }

  get events(): string[] {
    return this.written.map((text) => /^event: (\w+)/.exec(text)?.[1] ?? text);
  }

  get last() {
    return JSON.parse(/data: (.*)/.exec(this.written.at(-1)!)![1]!);
  }
}

const show = (viewers: Viewers) => {
  const connection = new Connection();
  viewers.show(connection as unknown as ServerResponse);
  return connection;
};

describe('those who look on', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const submitted = (watched: Figures, submitted: number) => {
    watched.all = { ...watched.all, submitted };
    vi.advanceTimersByTime(100);
  };

  test('all get a whole picture first, and then what has changed', () => {
    const watched = new Figures();
    const viewers = new Viewers(watched, 100);
    const first = show(viewers);
    submitted(watched, 8);
    const second = show(viewers);
    submitted(watched, 9);
    expect(first.events).toEqual(['picture', 'change', 'change']);
    expect(second.events).toEqual(['picture', 'change']);
    expect(JSON.parse(/data: (.*)/.exec(second.written[0]!)![1]!).totals.submitted).toBe(8);
    expect(first.last).toMatchObject({ totals: { submitted: 9 } });
    expect(first.last.nodes ?? first.last.running ?? first.last.ended).toBeUndefined();
    viewers.close();
    expect(first.events.at(-1)).toBe('end');
  });

  test('a change names the jobs and nodes that are new, different, and gone', () => {
    const watched = new Figures();
    const viewers = new Viewers(watched, 100);
    const viewer = show(viewers);
    const [job] = watched.now;
    watched.now = [{ ...job!, id: 'j-2' }];
    watched.past = [{ ...job!, status: 'finished', ended: 3 }];
    watched.list = [{ ...watched.list[0]!, busy: 0 }];
    vi.advanceTimersByTime(100);
    expect(viewer.last).toMatchObject({
      running: { set: [{ id: 'j-2' }], gone: ['j-1'] },
      ended: [{ id: 'j-1', status: 'finished' }],
      nodes: { set: [{ name: 'a', busy: 0 }], gone: [] },
    });
    watched.list = [];
    vi.advanceTimersByTime(100);
    expect(viewer.last).toMatchObject({ nodes: { set: [], gone: ['a'] } });
    viewers.close();
  });

  test('one who is slow misses changes, gets a whole picture instead, and holds nobody up', () => {
    const watched = new Figures();
    const viewers = new Viewers(watched, 100);
    const slow = show(viewers);
    const quick = show(viewers);
    slow.takesMore = false;
    for (let count = 8; count < 28; count++) submitted(watched, count);
    expect(slow.events).toEqual(['picture', 'change']);
    expect(quick.events).toHaveLength(21);
    slow.takesMore = true;
    slow.emit('drain');
    expect(slow.events).toEqual(['picture', 'change', 'picture']);
    expect(slow.last.totals.submitted).toBe(27);
    // What it has missed nothing of since goes on with changes.
    slow.emit('drain');
    submitted(watched, 28);
    expect(slow.events.slice(3)).toEqual(['change']);
    viewers.close();
  });

  test('one who takes nothing is hung up on, and without viewers nothing is looked at', () => {
    const watched = new Figures();
    const looks = vi.spyOn(watched, 'totals');
    const viewers = new Viewers(watched, 100);
    const stuck = show(viewers);
    stuck.takesMore = false;
    submitted(watched, 8);
    vi.advanceTimersByTime(4_900);
    expect(stuck.ended).toBe(false);
    vi.advanceTimersByTime(200);
    expect(stuck.ended).toBe(true);
    expect(viewers.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    const gone = show(viewers);
    gone.takesMore = false;
    submitted(watched, 9);
    gone.destroy();
    expect(vi.getTimerCount()).toBe(0);
    looks.mockClear();
    vi.advanceTimersByTime(60_000);
    expect(looks).not.toHaveBeenCalled();
  });

  test('when nothing changes a sign of life is sent from time to time', () => {
    const viewers = new Viewers(new Figures(), 100);
    const viewer = show(viewers);
    vi.advanceTimersByTime(60_000);
    const signs = viewer.written.slice(1);
    expect(new Set(signs)).toEqual(new Set([':\n\n']));
    expect(signs.length).toBeGreaterThanOrEqual(3);
    expect(signs.length).toBeLessThanOrEqual(5);
    viewers.close();
  });
});

import { describe, expect, test } from 'vitest';
import { adopt, type Closable, release } from '../../actors/root.ts';
import { closeChildren } from '../../lib/engine/closers.ts';

/** A child that notes when it is closed, and leaves the root as a manager does. */
const child = (name: string, log: string[], fails = false): Closable => {
  const self: Closable = {
    async close({ timeout }) {
      log.push(`${name} within ${timeout}`);
      release(self);
      if (fails) throw new Error('it does not want to');
    },
  };
  return self;
};

describe('the root', () => {
  test('closes its children in the reverse order of their starting, with a bound, and only once', async () => {
    const log: string[] = [];
    for (const name of ['first', 'second', 'third']) adopt(child(name, log));
    await closeChildren();
    await closeChildren();
    expect(log.map((line) => line.split(' ')[0])).toEqual(['third', 'second', 'first']);
    for (const line of log) expect(Number(line.split(' ').at(-1))).toBeGreaterThan(0);
  });

  test('goes on when one of them fails', async () => {
    const log: string[] = [];
    adopt(child('first', log));
    adopt(child('failing', log, true));
    await closeChildren();
    expect(log).toHaveLength(2);
  });

  test('does not close what was released', async () => {
    const log: string[] = [];
    const gone = child('gone', log);
    adopt(gone);
    release(gone);
    release(gone);
    await closeChildren();
    expect(log).toEqual([]);
  });

  test('closes its children when nothing is left to do in this process, and listens for that once', async () => {
    const log: string[] = [];
    const listeners = process.listenerCount('beforeExit');
    adopt(child('one', log));
    adopt(child('two', log));
    expect(process.listenerCount('beforeExit')).toBe(listeners);
    process.emit('beforeExit', 0);
    await new Promise(setImmediate);
    expect(log).toHaveLength(2);
    process.emit('beforeExit', 0);
    await new Promise(setImmediate);
    expect(log).toHaveLength(2);
  });
});

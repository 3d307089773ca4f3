import { beforeEach, describe, expect, test } from 'vitest';
import { beforeClosing, closeChildren } from '../../lib/engine/closers.ts';

/** The set that all copies of this package in a process share. */
const shared = () =>
  (globalThis as unknown as Record<symbol, Set<() => Promise<unknown>> | undefined>)[
    Symbol.for('offsite.closers')
  ];
beforeEach(() => shared()?.clear());

describe('what a site ends before itself', () => {
  test('is run all at once, each once however often it was added', async () => {
    const ran: string[] = [];
    let finish = () => {};
    const slow = () =>
      new Promise<void>((resolve) => {
        ran.push('slow');
        finish = resolve;
      });
    const quick = async () => void ran.push('quick');
    beforeClosing(slow);
    beforeClosing(quick);
    beforeClosing(quick);
    let closed = false;
    const closing = closeChildren().then(() => {
      closed = true;
    });
    await new Promise(setImmediate);
    expect(ran).toEqual(['slow', 'quick']);
    expect(closed).toBe(false);
    finish();
    await closing;
  });

  test('does not keep the others from their end when it fails', async () => {
    const ran: string[] = [];
    beforeClosing(() => Promise.reject(new Error('it does not want to')));
    beforeClosing(async () => void ran.push('after'));
    await closeChildren();
    expect(ran).toEqual(['after']);
  });

  test('is shared with other copies of this package in the same process', async () => {
    let ran = false;
    const other = async () => {
      ran = true;
    };
    shared()!.add(other);
    void closeChildren();
    await new Promise(setImmediate);
    expect(ran).toBe(true);
  });
});

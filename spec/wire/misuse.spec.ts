import { getEventListeners } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { transfer } from '../../lib/wire/codec/transfer.ts';
import { UnserializableError } from '../../lib/wire/errors.ts';
import { release, withOptions } from '../../lib/wire/reference/handle.ts';
import { Session } from '../../lib/wire/session.ts';
import { type Anything, memoryLinks, pair, rejection, settled } from './pair.ts';

const main = () => ({
  add: (a: number, b: number) => a + b,
  size: (bytes: Uint8Array) => bytes.byteLength,
  never: () => new Promise(() => {}),
});

/** Two sessions of threads of one process, between which memory moves. */
const threads = (limits = {}) => {
  const [a, b] = memoryLinks();
  const options = { sharesMemory: true, limits };
  const near = new Session('far', undefined, {}, options);
  near.attach(a);
  new Session('near', main(), {}, options).attach(b);
  return near.main as Anything;
};

afterEach(() => void vi.restoreAllMocks());

test('memory that is transferred twice in one turn moves once, and the second call says so', async () => {
  const remote = threads();
  const bytes = new Uint8Array(100);
  const first = remote.size(transfer(bytes));
  const second = remote.size(transfer(bytes));
  expect(await first).toBe(100);
  expect(await rejection(second)).toBeInstanceOf(UnserializableError);
  expect(await remote.add(1, 2)).toBe(3);
});

test.each([
  ['a thread', () => threads(), 100],
  ['a process, in the frame', () => pair(main()).remote, 100],
  ['a process, in parts', () => pair(main()).remote, 300_000],
])('memory that is transferred to %s is gone at once, and arrives', async (_to, make, size) => {
  const bytes = new Uint8Array(size);
  const sent = make().size(transfer(bytes));
  expect(bytes.byteLength).toBe(0);
  expect(await sent).toBe(size);
});

test('memory that is too large to be sent does not move', async () => {
  const remote = threads({ messageSize: 1_000 });
  const bytes = new Uint8Array(2_000);
  const refused = await rejection(remote.size(transfer(bytes)));
  expect(refused).toMatchObject({ code: 'ERR_OFFSITE_MESSAGE_SIZE' });
  expect(bytes.byteLength).toBe(2_000);
});

test('a link that refuses to send is closed, and what waits is told', async () => {
  const { near, remote } = pair(main());
  near.link.send = () => {
    throw new Error('it can not go');
  };
  const waiting = rejection(remote.add(1, 2));
  await settled();
  expect(near.events.disconnected).toMatchObject([{ message: 'it can not go' }]);
  near.session.end(() => new Error('the link is gone'));
  expect(await waiting).toMatchObject({ message: 'the link is gone' });
});

test('a signal for a thousand calls has one listener, and none when they are over', async () => {
  const { remote } = pair(main());
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const controller = new AbortController();
  const { signal } = controller;
  const bounded = withOptions(remote, { signal });
  const sums = Array.from({ length: 1_000 }, (_, i) => bounded.add(i, 1) as Promise<number>);
  expect(getEventListeners(signal, 'abort').length).toBe(1);
  expect((await Promise.all(sums)).at(-1)).toBe(1_000);
  expect(getEventListeners(signal, 'abort').length).toBe(0);

  const waiting = Array.from({ length: 1_000 }, () => rejection(bounded.never()));
  await settled();
  controller.abort(new Error('enough'));
  for (const cause of await Promise.all(waiting)) expect(cause.message).toBe('enough');
  expect([getEventListeners(signal, 'abort').length, warned.mock.calls]).toEqual([0, []]);
});

test('a property can not be released, because it would take what it hangs on with it', async () => {
  const { remote } = pair({ object: Object.assign(() => {}, { f: () => 1 }) });
  expect(() => release(remote.object)).toThrow(TypeError);
  expect(remote.object[Symbol.dispose]).toBeUndefined();
  expect(await remote.object.f()).toBe(1);
});

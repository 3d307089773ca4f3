import { WritableStream, type WritableStreamDefaultController } from 'node:stream/web';
import { describe, expect, test } from 'vitest';
import { UndecodableError, UnserializableError } from '../../../lib/wire/errors.ts';
import { WINDOW } from '../../../lib/wire/stream/credit.ts';
import { rejection, settled } from '../pair.ts';
import { open, wire } from './wire.ts';

/** A WritableStream that keeps what is written; `sink` changes what it does. */
const paper = (sink: { write?: (item: unknown) => unknown; close?: () => unknown } = {}) => {
  const state = { written: [] as unknown[], closed: 0, aborted: [] as unknown[] };
  let controller!: WritableStreamDefaultController;
  const stream = new WritableStream<unknown>({
    start(its) {
      controller = its;
    },
    async write(item) {
      await sink.write?.(item);
      state.written.push(item);
    },
    async close() {
      await sink.close?.();
      state.closed++;
    },
    abort: (reason) => void state.aborted.push(reason),
  });
  return { state, stream, controller: () => controller };
};

const never = () => new Promise<never>(() => {});

describe('a WritableStream of another site', () => {
  test('is a real one whose items arrive in their order and whose close waits for that of the owner', async () => {
    const world = wire();
    let letClose!: () => void;
    const { state, stream } = paper({
      close: () =>
        new Promise<void>((resolve) => {
          letClose = resolve;
        }),
    });
    const here = world.give(stream);
    expect(here).toBeInstanceOf(WritableStream);
    const writer = here.getWriter();
    for (let i = 0; i < 100; i++) await writer.write(i);
    let closed = false;
    const closing = writer.close().then(() => {
      closed = true;
    });
    await settled();
    expect([state.written.length, closed, open(world)]).toEqual([100, false, [1, 1]]);
    letClose();
    await closing;
    expect([state.written, state.closed]).toEqual([[...Array(100).keys()], 1]);
    expect(open(world)).toEqual([0, 0]);
  });

  test('takes no more than the window while its owner takes nothing, and goes on when that does', async () => {
    const { far, give } = wire();
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { state, stream } = paper({ write: () => gate });
    const writer = give(stream).getWriter();
    const item = new Uint8Array(WINDOW / 8);
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 64; i++) {
        await writer.write(item);
        written++;
      }
    })();
    await settled();
    await settled();
    expect(written).toBe(8);
    go();
    await writing;
    await writer.close();
    expect([state.written.length, far.violation]).toEqual([64, undefined]);
  });

  test('fails with the error of its owner: a write that waits, later ones, and its close', async () => {
    const world = wire();
    const failing = paper({ write: () => Promise.reject(new Error('disk full')) });
    const writer = world.give(failing.stream).getWriter();
    await writer.write(1);
    await settled();
    expect((await rejection(writer.write(2))).message).toBe('disk full');
    const idle = paper();
    const other = world.give(idle.stream).getWriter();
    idle.controller().error('broken');
    await settled();
    await expect(other.write(1)).rejects.toBe('broken');
    const closing = world.give(paper({ close: () => Promise.reject('not closed') }).stream).getWriter();
    await expect(closing.close()).rejects.toBe('not closed');
    const silent = paper({ write: never });
    const stuck = world.give(silent.stream).getWriter();
    await stuck.write(new Uint8Array(WINDOW));
    const waiting = stuck.write('more');
    world.near.streams.onStop(-4, false, 'stopped');
    await expect(waiting).rejects.toBe('stopped');
    expect(world.near.streams.size).toBe(0);
  });

  test('fails without a reason if its owner has none, rather than to be taken for closed', async () => {
    const { give } = wire();
    const { stream, controller } = paper({ close: never });
    const writer = give(stream).getWriter();
    controller().error(undefined);
    expect((await rejection(writer.close())).message).toMatch(/without a reason/);
  });

  test('passes on why it was aborted, also while a write waits for credit', async () => {
    const world = wire();
    const { state, stream } = paper();
    const writer = world.give(stream).getWriter();
    await writer.write(1);
    await writer.abort('changed my mind');
    await settled();
    expect(state.aborted).toEqual(['changed my mind']);
    const silent = paper({ write: never });
    const stuck = world.give(silent.stream).getWriter();
    await stuck.write(new Uint8Array(WINDOW));
    const waiting = rejection(stuck.write('more').catch((cause) => Promise.reject(new Error(cause))));
    await settled();
    await stuck.abort('no time');
    expect((await waiting).message).toBe('no time');
    await settled();
    expect(open(world)).toEqual([0, 0]);
  });

  test('does not wait for a close that its owner never ends when it is aborted', async () => {
    const world = wire();
    const writer = world.give(paper({ close: never }).stream).getWriter();
    const closing = writer.close();
    await settled();
    await Promise.allSettled([writer.abort('enough')]);
    await expect(closing).rejects.toBe('enough');
    await settled();
    expect(open(world)).toEqual([0, 0]);
  });

  test('fails on both sides for an item that can not be sent or not be read', async () => {
    const world = wire();
    const { state, stream } = paper();
    const writer = world.give(stream).getWriter();
    expect(await rejection(writer.write(Symbol('bad')))).toBeInstanceOf(UnserializableError);
    await settled();
    expect(state.aborted[0]).toBeInstanceOf(UnserializableError);
    const other = paper();
    const unread = world.give(other.stream).getWriter();
    world.far.streams.onFail(-2, true, new UndecodableError('torn'));
    await settled();
    expect(await rejection(unread.write(1))).toBeInstanceOf(UndecodableError);
    expect(other.state.aborted[0]).toBeInstanceOf(UndecodableError);
    expect(open(world)).toEqual([0, 0]);
  });

  test('fails whoever waits when the session ends, and is aborted at its owner', async () => {
    const world = wire();
    const { state, stream } = paper({ close: never });
    const writer = world.give(stream).getWriter();
    const closing = writer.close();
    const silent = paper({ write: never });
    const stuck = world.give(silent.stream).getWriter();
    await stuck.write(new Uint8Array(WINDOW));
    const waiting = stuck.write('more');
    const idle = paper();
    const other = world.give(idle.stream).getWriter();
    await settled();
    world.cut('dead');
    await expect(closing).rejects.toBe('dead');
    await expect(waiting).rejects.toBe('dead');
    await expect(other.write(1)).rejects.toBe('dead');
    expect(idle.state.aborted).toEqual(['dead']);
    expect(state.closed).toBe(0);
    expect(open(world)).toEqual([0, 0]);
  });

  test('is refused while somebody else writes to it, and is free again if its record was not sent', async () => {
    const { far } = wire();
    const { stream } = paper();
    const { id } = far.streams.exportValue(stream);
    expect(() => far.streams.exportValue(stream)).toThrow(UnserializableError);
    far.streams.withdraw(id);
    expect([stream.locked, far.streams.size]).toEqual([false, 0]);
  });
});

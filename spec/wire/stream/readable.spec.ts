import { ReadableStream } from 'node:stream/web';
import { describe, expect, test } from 'vitest';
import { UnserializableError } from '../../../lib/wire/errors.ts';
import { rejection, settled } from '../pair.ts';
import { gather, open, wire } from './wire.ts';

/** A ReadableStream of numbers that notes how often it was pulled and with what it was cancelled. */
const numbers = (count: number) => {
  const state = { pulled: 0, cancelled: [] as unknown[] };
  const stream = new ReadableStream<number>(
    {
      pull(controller) {
        if (state.pulled === count) controller.close();
        else controller.enqueue(state.pulled++);
      },
      cancel: (reason) => void state.cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
};

const never = () => new Promise<never>(() => {});

describe('a ReadableStream of another site', () => {
  test('is a real one that gives its items in their order and closes', async () => {
    const world = wire();
    const { stream } = numbers(500);
    const here = world.give(stream);
    expect(here).toBeInstanceOf(ReadableStream);
    expect(await gather(here)).toEqual([...Array(500).keys()]);
    expect(open(world)).toEqual([0, 0]);
  });

  test('is locked where it comes from, and not pulled before it is read', async () => {
    const { give } = wire();
    const { state, stream } = numbers(5);
    const reader = give(stream).getReader();
    await settled();
    expect([stream.locked, state.pulled]).toEqual([true, 0]);
    expect(await reader.read()).toEqual({ value: 0, done: false });
  });

  test('is refused while somebody else reads it, and can be sent after that', () => {
    const { far, give } = wire();
    const { stream } = numbers(5);
    const reader = stream.getReader();
    expect(() => far.streams.exportValue(stream)).toThrow(UnserializableError);
    expect(far.streams.size).toBe(0);
    reader.releaseLock();
    give(stream);
  });

  test('passes on why it was cancelled, once, also while a read waits', async () => {
    const world = wire();
    const { state, stream } = numbers(1e9);
    const reader = world.give(stream).getReader();
    await reader.read();
    await reader.cancel('enough');
    await settled();
    expect(state.cancelled).toEqual(['enough']);
    const silent = new ReadableStream({ pull: never, cancel: (reason) => void state.cancelled.push(reason) });
    const other = world.give(silent).getReader();
    const waiting = other.read();
    await settled();
    await other.cancel('again');
    expect(await waiting).toEqual({ value: undefined, done: true });
    await settled();
    expect(state.cancelled).toEqual(['enough', 'again']);
    expect(open(world)).toEqual([0, 0]);
  });

  test('tells who watches `closed` of its end and of its error without another read', async () => {
    const { give } = wire();
    const ended = give(numbers(1).stream).getReader();
    await ended.read();
    await ended.closed;
    const broken = give(
      new ReadableStream({
        start: (controller) => controller.enqueue(1),
        pull: (controller) => controller.error('broken'),
      }),
    ).getReader();
    await broken.read();
    await expect(broken.closed).rejects.toBe('broken');
  });

  test('gives all that came before its error', async () => {
    const { give } = wire();
    let pulled = 0;
    const source = new ReadableStream(
      {
        pull(controller) {
          if (pulled === 5) controller.error('broken');
          else controller.enqueue(pulled++);
        },
      },
      { highWaterMark: 0 },
    );
    const reader = give(source).getReader();
    await reader.read();
    await settled();
    expect(pulled).toBe(5);
    for (let i = 1; i < 5; i++) expect(await reader.read()).toEqual({ value: i, done: false });
    await expect(reader.read()).rejects.toBe('broken');
  });

  test('fails a read that waits when the session ends, and is cancelled where it comes from', async () => {
    const world = wire();
    const cancelled: unknown[] = [];
    const silent = new ReadableStream({ pull: never, cancel: (reason) => void cancelled.push(reason) });
    const reader = world.give(silent).getReader();
    const idle = world.give(numbers(5).stream).getReader();
    const waiting = reader.read();
    await settled();
    world.cut('dead');
    await expect(waiting).rejects.toBe('dead');
    await expect(idle.closed).rejects.toBe('dead');
    expect(cancelled).toEqual(['dead']);
    expect(open(world)).toEqual([0, 0]);
  });

  test('keeps the item of a reader that let go of its lock before the item came', async () => {
    const { give } = wire();
    let controller!: ReadableStreamDefaultController<unknown>;
    const stream = give(
      new ReadableStream<unknown>(
        {
          start(its) {
            controller = its as typeof controller;
          },
        },
        { highWaterMark: 0 },
      ),
    );
    const first = stream.getReader();
    const left = first.read();
    await settled();
    first.releaseLock();
    await rejection(left);
    await settled();
    controller.enqueue('kept');
    await settled();
    controller.error('broken');
    await settled();
    const second = stream.getReader();
    expect(await second.read()).toEqual({ value: 'kept', done: false });
    await expect(second.read()).rejects.toBe('broken');
  });

  test('is free again, and not cancelled, if its record was not sent', async () => {
    const { far } = wire();
    const { stream, state } = numbers(5);
    far.streams.withdraw(far.streams.exportValue(stream).id);
    await settled();
    expect([stream.locked, state.cancelled, far.streams.size]).toEqual([false, [], 0]);
  });
});

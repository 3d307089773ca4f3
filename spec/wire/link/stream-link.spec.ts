import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { MAX_FRAME } from '../../../lib/wire/frame/frame.ts';
import { StreamLink } from '../../../lib/wire/link/stream-link.ts';
import { settled } from '../pair.ts';

/** A frame as a link sees it: a size and as many bytes. */
const frame = (size: number, fill: number) => {
  const bytes = Buffer.alloc(4 + size, fill);
  bytes.writeUInt32LE(size, 0);
  return bytes;
};

/** A link whose peer is this spec, with what it delivered. */
const open = (output: Writable = new PassThrough()) => {
  const input = new PassThrough();
  const link = new StreamLink(input, output);
  const frames: string[] = [];
  const disconnected: (Error | undefined)[] = [];
  let deliveries = 0;
  let onFrame: (() => void) | undefined;
  link.open({
    receive(bytes, start, end) {
      deliveries++;
      for (let at = start; at < end; ) {
        const next = at + 4 + bytes.readUInt32LE(at);
        frames.push(bytes.toString('hex', at, next));
        at = next;
      }
      onFrame?.();
    },
    disconnected: (cause) => void disconnected.push(cause),
  });
  /** Gives a chunk to the link as a pipe would: alone. */
  const feed = (...chunks: Buffer[]) => {
    for (const chunk of chunks) input.emit('data', chunk);
  };
  return {
    link,
    input,
    output,
    frames,
    disconnected,
    feed,
    get deliveries() {
      return deliveries;
    },
    onFrame(then: () => void) {
      onFrame = then;
    },
  };
};

/** An output that takes what it gets only when it is told to. */
class Sluggish extends Writable {
  taken = 0;
  #done: (() => void)[] = [];
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#done.push(() => {
      this.taken += chunk.length;
      done();
    });
  }
  // As a socket does, whose writes under way are cancelled.
  override _destroy(cause: Error | null, done: (cause: Error | null) => void): void {
    for (const cancel of this.#done.splice(0)) cancel();
    done(cause);
  }
  /** Takes one write after another until none is left. */
  async take(): Promise<void> {
    for (let done = this.#done.shift(); done; done = this.#done.shift()) {
      done();
      await settled();
    }
  }
}

describe('a stream link', () => {
  const three = [frame(0, 0), frame(9, 1), frame(300, 2)];
  const hex = three.map((bytes) => bytes.toString('hex'));
  const whole = Buffer.concat(three);

  test('delivers frames that are cut at every possible place', () => {
    for (let at = 0; at <= whole.length; at++) {
      const { feed, frames } = open();
      feed(whole.subarray(0, at), whole.subarray(at));
      expect(frames, `cut at ${at}`).toEqual(hex);
    }
  });

  test('delivers frames that come byte by byte', () => {
    const { feed, frames } = open();
    feed(...[...whole].map((byte) => Buffer.from([byte])));
    expect(frames).toEqual(hex);
  });

  test('delivers frames that come in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }),
        (sizes, pieces) => {
          const sent = sizes.map((size, index) => frame(size, index));
          const stream = Buffer.concat(sent);
          const { feed, frames } = open();
          for (let at = 0, i = 0; at < stream.length; i++) {
            const next = at + pieces[i % pieces.length]!;
            feed(stream.subarray(at, next));
            at = next;
          }
          expect(frames).toEqual(sent.map((bytes) => bytes.toString('hex')));
        },
      ),
    );
  });

  test('delivers all whole frames of a chunk together, and the rest with its end', () => {
    const world = open();
    const many = Buffer.concat(Array.from({ length: 500 }, (_, i) => frame(20, i & 0xff)));
    world.feed(many.subarray(0, many.length - 1));
    expect([world.deliveries, world.frames.length]).toEqual([1, 499]);
    world.feed(many.subarray(many.length - 1));
    expect([world.deliveries, world.frames.length]).toEqual([2, 500]);
  });

  test('delivers what a paused stream held before it was opened', async () => {
    const input = new PassThrough();
    input.pause();
    input.write(whole);
    const link = new StreamLink(input, new PassThrough());
    const arrived = await new Promise<number>((resolve) => {
      link.open({ receive: (_bytes, start, end) => resolve(end - start), disconnected: () => {} });
    });
    expect(arrived).toBe(whole.length);
  });

  test('breaks off at the announcement of a frame that is too large', () => {
    const world = open();
    const head = Buffer.alloc(8);
    head.writeUInt32LE(MAX_FRAME, 0);
    world.feed(Buffer.concat([three[1]!, head]));
    expect(world.disconnected[0]).toBeInstanceOf(ProtocolError);
    expect(world.disconnected[0]!.message).toContain(String(MAX_FRAME));
    expect(world.input.destroyed && world.output.destroyed).toBe(true);
    world.feed(three[1]!);
    expect(world.frames.length).toBeLessThanOrEqual(1);
  });

  test('takes the announcement of the largest frame', () => {
    const { feed, disconnected } = open();
    const head = Buffer.alloc(4);
    head.writeUInt32LE(MAX_FRAME - 4, 0);
    feed(head);
    expect(disconnected).toEqual([]);
  });

  test('tells once that it is gone, whatever its streams do then', async () => {
    const world = open();
    world.input.end();
    await settled();
    world.input.destroy(new Error('too late'));
    world.output.destroy(new Error('too late as well'));
    world.link.destroy(new Error('last'));
    await settled();
    expect(world.disconnected).toEqual([undefined]);
  });

  test.each(['input', 'output'] as const)('tells why it is gone when its %s fails', async (side) => {
    const world = open();
    const cause = new Error('EPIPE');
    world[side].destroy(cause);
    await settled();
    expect(world.disconnected).toEqual([cause]);
  });

  test('is gone when its input ends in the midst of a frame, and delivers no half of it', async () => {
    const world = open();
    world.input.write(whole.subarray(0, whole.length - 3));
    world.input.end();
    await settled();
    expect(world.frames).toEqual(hex.slice(0, 2));
    expect(world.disconnected).toEqual([undefined]);
  });

  test('can be destroyed in the midst of a frame, and delivers nothing more', async () => {
    const world = open();
    world.feed(whole.subarray(0, 10));
    const cause = new Error('enough');
    world.link.destroy(cause);
    world.feed(whole.subarray(10));
    expect(world.link.send(three[1]!)).toBe(false);
    await settled();
    expect(world.frames).toEqual(hex.slice(0, 1));
    expect(world.disconnected).toEqual([cause]);
    expect(world.input.destroyed && world.output.destroyed).toBe(true);
  });

  test('can be destroyed by whoever receives a frame', () => {
    const world = open();
    world.onFrame(() => world.link.destroy());
    world.feed(whole, whole);
    expect([world.deliveries, world.disconnected.length]).toEqual([1, 1]);
  });

  test('sends frames as they are, keeps their memory until then, and says how much waits', async () => {
    const output = new Sluggish();
    const { link } = open(output);
    expect(link.waiting).toBe(0);
    expect(link.send(three[1]!)).toBe(true);
    link.send(three[2]!);
    expect(link.waiting).toBe(three[1]!.length + three[2]!.length);
    await output.take();
    expect([link.waiting, output.taken]).toEqual([0, three[1]!.length + three[2]!.length]);
  });

  test('is flushed when all that was sent has left, and at once when nothing waits', async () => {
    const output = new Sluggish();
    const { link } = open(output);
    await link.flushed();
    link.send(three[2]!);
    let flushed = false;
    const flushing = link.flushed().then(() => {
      flushed = true;
    });
    await settled();
    expect(flushed).toBe(false);
    await output.take();
    await flushing;
    expect(output.taken).toBe(three[2]!.length);
  });

  test('is flushed when it can not be any more', async () => {
    const output = new Sluggish();
    const { link } = open(output);
    link.send(three[2]!);
    const flushing = link.flushed();
    link.destroy();
    await flushing;
    await link.flushed();
  });

  test('lets the process end, or not, by its streams where these have a say', () => {
    const said: string[] = [];
    const handle = (name: string, stream: PassThrough) =>
      Object.assign(stream, {
        ref: () => said.push(`${name} ref`),
        unref: () => said.push(`${name} unref`),
      });
    const link = new StreamLink(handle('in', new PassThrough()), handle('out', new PassThrough()));
    link.unref();
    link.ref();
    expect(said).toEqual(['in unref', 'out unref', 'in ref']);
    const plain = open();
    plain.link.ref();
    plain.link.unref();
  });

  test('notes when it last heard its peer', async () => {
    const input = new PassThrough();
    const before = performance.now();
    const link = new StreamLink(input, new PassThrough());
    expect(link.heardAt).toBeGreaterThanOrEqual(before);
  });
});

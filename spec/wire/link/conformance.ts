import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { HIGH_WATER, type Link } from '../../../lib/wire/link/link.ts';

/** Two ends of a link, neither of them open, and what can be done to them. */
export interface Ends {
  readonly near: Link;
  readonly far: Link;
  /** Makes the far end's side die after half a frame has left it for the near end. */
  dieInFrame?(): void;
  /** Sends to the near end what no link sends. */
  garbage?(): void;
  /** Keeps back what leaves the near end, where it is not enough that the far end is not open. */
  stall?(): void;
  letGo?(): void;
  /** Ends what is left. */
  close?(): unknown;
}

/** Where a frame's number lies. */
const NUMBER_AT = 8;
const HEAD = 16;

/** A frame of so many bytes, at least 16, all of which tell its number. */
const frame = (number: number, size: number): Buffer => {
  const bytes = Buffer.allocUnsafeSlow(size).fill((number * 7 + 1) & 0xff);
  bytes.writeUInt32LE(size - 4, 0);
  bytes.writeDoubleLE(number, NUMBER_AT);
  return bytes;
};

/** Frames of these sizes, numbered from `first` on, as one batch. */
const batch = (first: number, sizes: readonly number[]): Buffer =>
  sizes.length === 1
    ? frame(first, sizes[0]!)
    : Buffer.concat(sizes.map((size, index) => frame(first + index, size)));

/** Sends as a session does: what the link does not keep is written over at once. */
const send = (link: Link, bytes: Buffer): void => {
  if (!link.send(bytes)) bytes.fill(0xdd);
};

/** Opens an end and collects the numbers and sizes of what comes, looking at every byte. */
export const listen = (link: Link, onFrame: (number: number) => void = () => {}) => {
  const frames: [number: number, size: number][] = [];
  const disconnected: (Error | undefined)[] = [];
  const wrong: string[] = [];
  let changed = () => {};
  link.open({
    receive(bytes, start, end) {
      for (let at = start; at < end; ) {
        const size = 4 + bytes.readUInt32LE(at);
        if (at + size > end) wrong.push(`A frame of ${size} bytes, of which ${end - at} came.`);
        const number = bytes.readDoubleLE(at + NUMBER_AT);
        const rest = bytes.subarray(at + HEAD, Math.min(at + size, end));
        if (!rest.equals(Buffer.alloc(rest.length, (number * 7 + 1) & 0xff))) wrong.push(`frame ${number}`);
        frames.push([number, size]);
        at += size;
        onFrame(number);
      }
      changed();
    },
    disconnected(cause) {
      disconnected.push(cause);
      changed();
    },
  });
  /** Resolves when `enough` says so; the test's own bound ends it otherwise. */
  const until = async (enough: () => boolean) => {
    while (!enough()) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return {
    frames,
    disconnected,
    wrong,
    until,
    count: (count: number) => until(() => frames.length >= count),
    gone: () => until(() => disconnected.length > 0),
  };
};

const turns = async (count = 5) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};
const numbered = (sizes: readonly number[]) => sizes.map((size, number) => [number, size]);
const MIB = 1 << 20;
/** So many large frames are more than any link takes without saying that they wait. */
const MOST = 200;

/** What every link holds to; `make` gives a new pair of ends for each test. */
export const linkConformance = (name: string, make: () => Ends | Promise<Ends>): void => {
  const made: Ends[] = [];
  const ends = async () => {
    const pair = await make();
    made.push(pair);
    return pair;
  };
  afterEach(async () => {
    for (const { near, far, close } of made.splice(0)) {
      near.destroy();
      far.destroy();
      await close?.();
    }
  });

  describe(`a link over ${name}`, () => {
    test('delivers whole frames in their order, in whatever batches and from whichever end', async () => {
      const size = fc.oneof(fc.integer({ min: HEAD, max: 200 }), fc.integer({ min: HEAD, max: 90_000 }));
      const batches = fc.array(fc.array(size, { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 8,
      });
      await fc.assert(
        fc.asyncProperty(batches, batches, async (there, back) => {
          const { near, far } = await ends();
          const [atNear, atFar] = [listen(near), listen(far)];
          for (const [link, sent] of [
            [near, there],
            [far, back],
          ] as const) {
            let first = 0;
            for (const sizes of sent) {
              send(link, batch(first, sizes));
              first += sizes.length;
            }
          }
          await Promise.all([atFar.count(there.flat().length), atNear.count(back.flat().length)]);
          expect([atFar.frames, atFar.wrong]).toEqual([numbered(there.flat()), []]);
          expect([atNear.frames, atNear.wrong]).toEqual([numbered(back.flat()), []]);
        }),
        { numRuns: 8 },
      );
    });

    test('delivers frames from 16 bytes to 8 MiB', async () => {
      const { near, far } = await ends();
      const atFar = listen(far);
      listen(near);
      const sizes = [16, 17, 65_536, MIB / 4 - 1, MIB / 4, MIB / 4 + 1, MIB, 100, 8 * MIB, 16];
      for (const [number, size] of sizes.entries()) send(near, frame(number, size));
      await atFar.count(sizes.length);
      expect([atFar.frames, atFar.wrong]).toEqual([numbered(sizes), []]);
    });

    test('delivers what was sent before the other end was opened', async () => {
      const { near, far } = await ends();
      if (name.startsWith('memory')) return;
      listen(near);
      send(near, frame(0, 100));
      await turns();
      const atFar = listen(far);
      await atFar.count(1);
    });

    test('delivers nothing more once it was destroyed, even by whoever receives', async () => {
      const { near, far } = await ends();
      const atFar = listen(far, (number) => number === 0 && far.destroy());
      const atNear = listen(near);
      for (let number = 0; number < 20; number++) send(near, frame(number, 50_000));
      await atNear.gone();
      expect(new Set(atFar.frames.map(([number]) => number)).size).toBe(atFar.frames.length);
      const { length } = atFar.frames;
      await turns();
      expect(atFar.frames).toHaveLength(length);
      expect(length).toBeLessThan(20);
      expect(atFar.disconnected).toEqual([undefined]);
      expect(far.send(frame(0, 16))).toBe(false);
    });

    test('tells each end once of its end, and why to its own', async () => {
      const { near, far } = await ends();
      const [atNear, atFar] = [listen(near), listen(far)];
      await turns();
      const cause = new Error('enough');
      near.destroy(cause);
      near.destroy(new Error('again'));
      await atFar.gone();
      far.destroy(new Error('too late'));
      await turns();
      expect(atNear.disconnected).toEqual([cause]);
      expect(atFar.disconnected).toHaveLength(1);
    });

    test('tells of an end that came before it was opened', async () => {
      const { near, far } = await ends();
      if (name.startsWith('memory')) return;
      listen(near);
      near.destroy();
      await turns(20);
      await listen(far).gone();
    });

    test('says that it is congested, and when it is not any more', async () => {
      const { near, far, stall, letGo } = await ends();
      stall?.();
      listen(near);
      await near.drained();
      expect([near.congested, near.waiting]).toEqual([false, 0]);
      let sent = 0;
      while (!near.congested && sent < MOST) send(near, frame(sent++, 300_000));
      expect(near.waiting).toBeGreaterThan(HIGH_WATER);
      let drained = false;
      const draining = near.drained().then(() => {
        drained = true;
      });
      await turns();
      expect(drained).toBe(!near.congested);
      const atFar = listen(far);
      letGo?.();
      await draining;
      expect(near.congested).toBe(false);
      await near.flushed();
      expect(near.waiting).toBe(0);
      await atFar.count(sent);
      expect(atFar.wrong).toEqual([]);
    });

    test('lets nobody wait for room once it is gone', async () => {
      const { near, stall } = await ends();
      stall?.();
      listen(near);
      for (let sent = 0; !near.congested && sent < MOST; sent++) send(near, frame(0, 300_000));
      expect(near.congested).toBe(true);
      const waits = Promise.all([near.drained(), near.flushed()]);
      near.destroy();
      await waits;
      await Promise.all([near.drained(), near.flushed()]);
      expect(near.congested).toBe(false);
    });

    test('carries both directions at full speed at once', async () => {
      const { near, far } = await ends();
      const [atNear, atFar] = [listen(near), listen(far)];
      const sizes = Array.from({ length: 150 }, (_, number) => 40_000 + 999 * number);
      for (const [number, size] of sizes.entries()) {
        send(near, frame(number, size));
        send(far, frame(number, size));
      }
      await Promise.all([atNear.count(sizes.length), atFar.count(sizes.length)]);
      for (const end of [atNear, atFar]) expect([end.frames, end.wrong]).toEqual([numbered(sizes), []]);
    });

    test('delivers no half of a frame whose sender dies', async () => {
      const { near, dieInFrame } = await ends();
      if (!dieInFrame) return;
      const atNear = listen(near);
      dieInFrame();
      await atNear.gone();
      await turns();
      expect([atNear.frames, atNear.disconnected.length]).toEqual([[], 1]);
    });

    test('ends with a ProtocolError when the peer sends nonsense', async () => {
      const { near, garbage } = await ends();
      if (!garbage) return;
      const atNear = listen(near);
      garbage();
      await atNear.gone();
      await turns();
      expect(atNear.disconnected).toHaveLength(1);
      expect(atNear.disconnected[0]).toBeInstanceOf(ProtocolError);
    });

    test('carries what is not bytes together with its message, where it can', async () => {
      const { near, far } = await ends();
      if (!near.sharesMemory) return;
      const got: [number, unknown[] | undefined][] = [];
      let enough = () => {};
      const all = new Promise<void>((resolve) => {
        enough = resolve;
      });
      far.open({
        receive(bytes, start, _end, beside) {
          got.push([bytes.readDoubleLE(start + NUMBER_AT), beside]);
          if (got.length === 3) enough();
        },
        disconnected: () => {},
      });
      const shared = new SharedArrayBuffer(8);
      const moved = new ArrayBuffer(16);
      near.send(frame(0, 16));
      near.send(frame(1, 16), { values: [shared, moved], transfer: [moved] });
      near.send(frame(2, 16));
      expect(moved.byteLength).toBe(0);
      await all;
      expect(got.map(([number]) => number)).toEqual([0, 1, 2]);
      const [there, arrived] = got[1]![1] as [SharedArrayBuffer, ArrayBuffer];
      new Uint8Array(shared)[3] = 42;
      expect([new Uint8Array(there)[3], arrived.byteLength, got[2]![1]]).toEqual([42, 16, undefined]);
    });
  });
};

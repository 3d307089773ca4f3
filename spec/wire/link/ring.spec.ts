import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { LARGEST_RECORD, RING_BYTES, Ring, ringMemory } from '../../../lib/wire/link/ring.ts';

/** Two views of one ring, as two threads have them. */
const ends = () => {
  const memory = ringMemory();
  return { writer: new Ring(memory), reader: new Ring(memory) };
};

const readAll = (reader: Ring): string[] => {
  const records: string[] = [];
  reader.read(
    (bytes, start, end) => records.push(bytes.toString('latin1', start, end)),
    () => records.push('beside'),
  );
  return records;
};

const record = (size: number, letter = 'x') => Buffer.alloc(size, letter);

describe('a ring', () => {
  test('gives records in their order, of any length, also of none', () => {
    const { writer, reader } = ends();
    for (const text of ['one', '', 'four', 'fives', 'größe']) writer.write(Buffer.from(text, 'latin1'));
    expect(readAll(reader)).toEqual(['one', '', 'four', 'fives', 'größe']);
    expect(readAll(reader)).toEqual([]);
  });

  test('says whether there was anything', () => {
    const { writer, reader } = ends();
    expect(
      reader.read(
        () => {},
        () => {},
      ),
    ).toBe(false);
    writer.write(record(1));
    expect(
      reader.read(
        () => {},
        () => {},
      ),
    ).toBe(true);
  });

  test('tells where a message lies beside it', () => {
    const { writer, reader } = ends();
    writer.write(Buffer.from('a'));
    expect(writer.write(undefined)).toBe(true);
    writer.write(Buffer.from('b'));
    expect(readAll(reader)).toEqual(['a', 'beside', 'b']);
  });

  test('refuses what has no room, takes nothing of it, and takes it when there is room', () => {
    const { writer, reader } = ends();
    let count = 0;
    while (writer.write(record(LARGEST_RECORD - 4))) count++;
    expect(count).toBe(RING_BYTES / LARGEST_RECORD);
    expect(writer.write(undefined)).toBe(false);
    expect(readAll(reader)).toHaveLength(count);
    expect(writer.write(record(10))).toBe(true);
    expect(readAll(reader)).toEqual(['x'.repeat(10)]);
  });

  test('goes on at its beginning when a record does not fit before its end', () => {
    const { writer, reader } = ends();
    const sent: string[] = [];
    const got: string[] = [];
    // 1000 and the size word divide the ring's length by no whole number, so each round wraps elsewhere.
    for (let i = 0; i < 5 * (RING_BYTES / 1000); i++) {
      const text = String(i).padEnd(900 + (i % 97), '.');
      expect(writer.write(Buffer.from(text))).toBe(true);
      sent.push(text);
      if (i % 3 === 0) got.push(...readAll(reader));
    }
    got.push(...readAll(reader));
    expect(got).toEqual(sent);
  });

  test('counts the rest before its end as taken when a record has to begin anew', () => {
    const { writer, reader } = ends();
    writer.write(record(196));
    let left = RING_BYTES - 100 - 200;
    while (left > 0) {
      const size = Math.min(left, LARGEST_RECORD) - 4;
      expect(writer.write(record(size, 'y'))).toBe(true);
      left -= size + 4;
    }
    // The first 200 bytes are free again then, and the last 100: together enough for it, but in no one place.
    const written: boolean[] = [];
    const seen: number[] = [];
    reader.read(
      (bytes, start, end) => {
        if (seen.length === 1) written.push(writer.write(record(250, 'z')));
        seen.push(end - start);
        expect(bytes[start]).toBe((seen.length === 1 ? 'x' : 'y').charCodeAt(0));
      },
      () => {},
    );
    expect(written).toEqual([false]);
    expect(seen.reduce((sum, size) => sum + size + 4, 0)).toBe(RING_BYTES - 100);
  });

  test('can announce a message beside it in the last four bytes before its end', () => {
    const { writer, reader } = ends();
    let left = RING_BYTES - 4;
    while (left > 0) {
      const size = Math.min(left, LARGEST_RECORD) - 4;
      expect(writer.write(record(size))).toBe(true);
      left -= size + 4;
    }
    expect(writer.write(undefined)).toBe(true);
    expect(writer.write(undefined)).toBe(false);
    expect(readAll(reader).at(-1)).toBe('beside');
    expect(writer.write(Buffer.from('next'))).toBe(true);
    expect(readAll(reader)).toEqual(['next']);
  });

  test('goes on past four gigabytes, where its positions begin again', () => {
    const memory = ringMemory();
    const head = new Int32Array(memory);
    // Both positions stand shortly before 2^32; the first words of their cache lines are in lib/wire/link/ring.ts.
    const at = (2 ** 32 - 2 * RING_BYTES) | 0;
    head[0] = at;
    head[16] = at;
    const [writer, reader] = [new Ring(memory), new Ring(memory)];
    const got: string[] = [];
    for (let i = 0; i < 5_000; i++) {
      expect(writer.write(Buffer.from(`${i} ${'.'.repeat(1_000)}`))).toBe(true);
      got.push(...readAll(reader).map((text) => text.split(' ')[0]!));
    }
    expect(got).toEqual(Array.from({ length: 5_000 }, (_, i) => String(i)));
    expect(head[0]! >>> 0).toBeLessThan(RING_BYTES * 8);
  });

  test('gives back room record by record, while the rest is still read', () => {
    const { writer, reader } = ends();
    while (writer.write(record(LARGEST_RECORD - 4))) {
      // until it is full
    }
    let refilled = 0;
    reader.read(
      () => {
        if (refilled++ === 1) expect(writer.write(record(LARGEST_RECORD - 4, 'y'))).toBe(true);
      },
      () => {},
    );
    expect(refilled).toBe(4);
    expect(readAll(reader)).toEqual(['y'.repeat(LARGEST_RECORD - 4)]);
  });

  test('keeps what was written, whatever the sizes and whoever is faster', () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 0, max: LARGEST_RECORD }) }),
      fc.constant('beside' as const),
      fc.constant('read' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { writer, reader } = ends();
        const sent: (number | string)[] = [];
        const got: (number | string)[] = [];
        const read = () =>
          reader.read(
            (_bytes, start, end) => got.push(end - start),
            () => got.push('beside'),
          );
        for (const one of steps) {
          if (one === 'read') read();
          else if (one === 'beside') {
            if (writer.write(undefined)) sent.push('beside');
          } else if (writer.write(record(one.write))) sent.push(one.write);
        }
        read();
        expect(got).toEqual(sent);
      }),
      { numRuns: 60 },
    );
  });
});

/** Two ends, and promises of their next being woken. */
const sleepers = () => {
  const memory = ringMemory();
  const head = new Int32Array(memory);
  const woken = { reader: () => {}, writer: () => {} };
  const writer = new Ring(memory, undefined, () => woken.writer());
  const reader = new Ring(memory, () => woken.reader());
  const next = (side: 'reader' | 'writer') =>
    new Promise<void>((resolve) => {
      woken[side] = resolve;
    });
  /** Whether the reader says that it sleeps; the place is in lib/wire/link/ring.ts. */
  const readerSleeps = () => head[32] === 1;
  return { memory, writer, reader, next, readerSleeps };
};

describe('a sleeper at a ring', () => {
  test('is not needed when something is there already', () => {
    const { writer, reader, readerSleeps } = sleepers();
    writer.write(record(1));
    expect([reader.readable, reader.sleepReader(), readerSleeps()]).toEqual([true, false, false]);
  });

  test('is woken by what is written', async () => {
    const { writer, reader, next } = sleepers();
    const woken = next('reader');
    expect(reader.sleepReader()).toBe(true);
    writer.write(Buffer.from('morning'));
    await woken;
    expect(readAll(reader)).toEqual(['morning']);
  });

  test('that waits for room is woken by what is read', async () => {
    const { writer, reader, next } = sleepers();
    while (writer.write(record(LARGEST_RECORD - 4))) {
      // until it is full
    }
    const woken = next('writer');
    expect(writer.sleepWriter()).toBe(true);
    readAll(reader);
    await woken;
    expect(writer.write(record(LARGEST_RECORD - 4))).toBe(true);
  });

  test('does not wait for room that came before it could say that it sleeps', () => {
    const { writer, reader } = sleepers();
    while (writer.write(record(LARGEST_RECORD - 4))) {
      // until it is full
    }
    // Everything is read, so nothing would ever wake it.
    readAll(reader);
    expect(writer.sleepWriter()).toBe(false);
  });

  test('waits once, however often it goes to sleep, and takes its word back when it is awake', async () => {
    const { writer, reader, next, readerSleeps } = sleepers();
    const waitAsync = vi.spyOn(Atomics, 'waitAsync');
    for (let round = 0; round < 20; round++) {
      expect(reader.sleepReader()).toBe(true);
      expect(readerSleeps()).toBe(true);
      reader.readerAwake();
      expect(readerSleeps()).toBe(false);
      writer.write(record(9));
      expect(readAll(reader)).toHaveLength(1);
    }
    expect(waitAsync).toHaveBeenCalledTimes(1);
    waitAsync.mockRestore();
    const woken = next('reader');
    expect(reader.sleepReader()).toBe(true);
    writer.write(record(1));
    await woken;
  });

  test('is woken on both sides when nobody uses the ring any more, and never sleeps again', async () => {
    const { writer, reader, next } = sleepers();
    while (writer.write(record(LARGEST_RECORD - 4))) {
      // until it is full
    }
    readAll(reader);
    expect(reader.sleepReader()).toBe(true);
    const woken = next('reader');
    writer.close();
    await woken;
    expect(reader.sleepReader()).toBe(false);
    expect(readAll(reader)).toEqual([]);
    expect(reader.ended).toBe(true);
  });

  test('that blocks its thread is not kept there by a ring that was closed, or whose writer leaves', () => {
    for (const how of ['close', 'leave'] as const) {
      const { writer, reader } = sleepers();
      writer[how]();
      const start = performance.now();
      reader.waitReadable(10_000);
      expect(performance.now() - start).toBeLessThan(5_000);
    }
  });
});

describe('a ring whose other side writes nonsense', () => {
  const words = (memory: SharedArrayBuffer) => new Int32Array(memory);

  test.each([
    ['past what the ring holds', RING_BYTES + 4],
    ['behind what was read', -4],
    ['as far away as can be', 2 ** 31 - 4],
  ])('refuses a position that lies %s', (_where, offset) => {
    const { memory, writer, reader } = sleepers();
    writer.write(record(100));
    readAll(reader);
    words(memory)[0] = words(memory)[0]! + offset;
    expect(() => readAll(reader)).toThrow(ProtocolError);
  });

  test.each([
    ['larger than a record may be', LARGEST_RECORD + 1],
    ['larger than what was written', 104],
    ['larger than any', 0xfffffffd],
    ['that wraps around to nowhere', 0xffffffff],
  ])('refuses a record %s', (_what, size) => {
    const { memory, writer, reader } = sleepers();
    writer.write(record(100));
    new DataView(memory).setUint32(256, size, true);
    expect(() => readAll(reader)).toThrow(ProtocolError);
  });

  test('refuses a reader that has read what was never written', () => {
    const { memory, writer } = sleepers();
    words(memory)[16] = 4;
    expect(() => writer.write(record(1))).toThrow(ProtocolError);
  });

  test('neither loops, nor reads outside, nor throws anything else, whatever lies there', () => {
    const noise = fc.record({
      at: fc.nat((RING_BYTES + 256) / 4 - 1),
      word: fc.oneof(fc.integer(), fc.constant(-1), fc.constant(-2), fc.nat(RING_BYTES)),
    });
    const head = fc.record({ at: fc.constantFrom(0, 16, 64), word: fc.integer() });
    fc.assert(
      fc.property(fc.array(fc.oneof(noise, head), { minLength: 1, maxLength: 20 }), (steps) => {
        const { memory, writer, reader } = sleepers();
        for (let i = 0; i < 3; i++) writer.write(record(1_000));
        for (const { at, word } of steps) {
          words(memory)[at] = word;
          for (const use of [() => readAll(reader), () => writer.write(record(10))]) {
            try {
              use();
            } catch (cause) {
              expect(cause).toBeInstanceOf(ProtocolError);
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

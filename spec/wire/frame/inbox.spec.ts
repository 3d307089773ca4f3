import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { HEADER, Kind, MAX_FRAME } from '../../../lib/wire/frame/frame.ts';
import { Inbox } from '../../../lib/wire/frame/inbox.ts';
import { settled } from '../pair.ts';

/** A frame that carries a number. */
const frame = (id: number, size = HEADER + 8): Buffer => {
  const bytes = Buffer.alloc(HEADER + 8);
  bytes.writeUInt32LE(size - 4, 0);
  bytes[4] = Kind.output;
  bytes.writeDoubleLE(id, HEADER);
  return bytes;
};

/** An inbox that notes the numbers of the frames that it hands over; `handlers` are run for some of them. */
const world = () => {
  const seen: number[] = [];
  const failures: unknown[] = [];
  const handlers = new Map<number, () => void>();
  const inbox = new Inbox((bytes, at, end) => {
    const id = bytes.readDoubleLE(at + HEADER);
    expect(end - at).toBe(4 + bytes.readUInt32LE(at));
    seen.push(id);
    handlers.get(id)?.();
  });
  const memory = Buffer.alloc(4_096);
  /** Delivers frames as a link does: somewhere in its memory, which it uses again, be it while somebody waits. */
  const deliver = (...ids: number[]) => {
    const batch = Buffer.concat(ids.map((id) => frame(id)));
    memory.fill(0xee);
    batch.copy(memory, 8);
    inbox.receive(memory, 8, 8 + batch.length);
    memory.fill(0xdd);
  };
  /** Waits for a frame; `read` gives to the inbox what arrives meanwhile. */
  const waitFor = (id: number, read: () => void) => {
    let came = false;
    const letGo = inbox.hold(
      (bytes, at) => {
        if (bytes.readDoubleLE(at + HEADER) !== id) return false;
        came = true;
        return true;
      },
      (cause) => void failures.push(cause),
    );
    read();
    letGo();
    return came;
  };
  return { inbox, seen, failures, handlers, deliver, waitFor };
};

describe('an inbox', () => {
  test('hands over frames one by one, in their order', () => {
    const { deliver, seen } = world();
    deliver(1, 2, 3);
    deliver(4);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('hands over nothing of nothing', () => {
    const { inbox, seen } = world();
    inbox.receive(Buffer.alloc(4), 2, 2);
    expect(seen).toEqual([]);
  });

  test.each<[string, Buffer]>([
    ['is shorter than a header', frame(1, HEADER + 7).subarray(0, HEADER + 7)],
    ['is longer than what came', frame(1).subarray(0, HEADER + 7)],
    ['says that it is larger than any', frame(1, MAX_FRAME + 1)],
  ])('throws a ProtocolError for a frame that %s, be it waited for or not', (_what, bytes) => {
    const { inbox, seen, waitFor } = world();
    expect(() => inbox.receive(bytes, 0, bytes.length)).toThrow(ProtocolError);
    waitFor(1, () => expect(() => inbox.receive(bytes, 0, bytes.length)).toThrow(ProtocolError));
    expect(seen).toEqual([]);
  });

  test('lets through what a handler throws', () => {
    const { handlers, deliver, seen } = world();
    handlers.set(2, () => {
      throw new RangeError('m');
    });
    expect(() => deliver(1, 2, 3)).toThrow(RangeError);
    expect(seen).toEqual([1, 2]);
  });
});

describe('while somebody waits', () => {
  test('only what is waited for passes, and the others follow afterwards in their order', async () => {
    const { deliver, seen, waitFor } = world();
    const came = waitFor(9, () => {
      deliver(1, 2);
      deliver(3, 9, 4);
      deliver(5);
      expect(seen).toEqual([]);
    });
    expect([came, seen]).toEqual([true, []]);
    await settled();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test('and nothing else comes, nothing follows', async () => {
    const { deliver, seen, waitFor } = world();
    expect(waitFor(9, () => deliver(9))).toBe(true);
    expect(waitFor(9, () => {})).toBe(false);
    await settled();
    expect(seen).toEqual([]);
  });

  test('what arrives before the others have followed comes behind them', () => {
    const { deliver, seen, waitFor } = world();
    waitFor(9, () => deliver(1, 2));
    deliver(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('in the handler of a frame, the rest of its batch comes first, though the link reads on', async () => {
    const { deliver, seen, handlers, waitFor } = world();
    handlers.set(1, () => {
      expect(waitFor(9, () => deliver(4, 9, 5))).toBe(true);
      expect(seen).toEqual([1]);
    });
    deliver(1, 2, 3);
    expect(seen).toEqual([1, 2, 3]);
    await settled();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test('in the handlers of several frames, one after another, the order is kept too', async () => {
    const { deliver, seen, handlers, waitFor } = world();
    handlers.set(1, () => waitFor(90, () => deliver(4, 90)));
    handlers.set(2, () => waitFor(91, () => deliver(91, 5)));
    handlers.set(4, () => waitFor(92, () => deliver(6, 92)));
    deliver(1, 2, 3);
    await settled();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('in the handler of a frame that was held, what came in between keeps its place', async () => {
    const { deliver, seen, handlers, waitFor } = world();
    waitFor(90, () => deliver(1, 2));
    handlers.set(1, () => waitFor(91, () => deliver(5, 91, 6)));
    // This batch releases the held frames, whose first one waits again.
    deliver(3, 4);
    await settled();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('what a handler throws that is called later goes to whoever waited', async () => {
    const { deliver, seen, handlers, failures, waitFor } = world();
    const cause = new ProtocolError('m');
    handlers.set(1, () => {
      throw cause;
    });
    waitFor(9, () => deliver(1, 9));
    await settled();
    expect([seen, failures]).toEqual([[1], [cause]]);
  });
});

describe('any batches, of whose frames any wait for an answer among what comes later', () => {
  test('are handed over in the order in which they came, each frame once', async () => {
    const batches = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), async (shape, pause) => {
        const { deliver, seen, handlers, waitFor } = world();
        let count = 0;
        const coming = shape.map((waits) => waits.map((wait) => ({ id: ++count, wait })));
        const ids = coming.flat().map(({ id }) => id);
        const next = () => coming.shift()?.map(({ id }) => id) ?? [];
        let answers = 1_000;
        for (const { id, wait } of coming.flat()) {
          if (!wait) continue;
          // The answer comes behind what is on its way, in a batch with it.
          handlers.set(id, () => {
            const answer = ++answers;
            expect(waitFor(answer, () => deliver(...next(), answer))).toBe(true);
          });
        }
        for (let batch = next(); batch.length > 0; batch = next()) {
          deliver(...batch);
          if (pause) await settled();
        }
        // A handler that was held may wait again, and hold what follows once more.
        for (let i = 0; i <= count; i++) await settled();
        expect(seen).toEqual(ids);
      }),
      { numRuns: 300 },
    );
  });
});

import { availableParallelism, freemem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Lines, signalled } from '../support/lines.ts';

const MEBIBYTE = 1024 * 1024;
/** Larger than what is ever copied at once, so that it comes in parts over every link. */
const LARGE = 256 * MEBIBYTE;
/** What is in parts over a line that is not one of memory, which carries up to 64 MiB as it is. */
const IN_PARTS = 8 * MEBIBYTE;
const IN_PARTS_BESIDE = 80 * MEBIBYTE;
const GIBIBYTE = 1024 * MEBIBYTE;
/** A copy at each end, and what lies between. */
const ROOM = 4 * GIBIBYTE;

/** What waits for what, and what does not. */
export function order(lines: Lines): void {
  const remote = async () => (await lines.shared()).remote;

  describe('order', () => {
    test('calls on one reference begin in their order, though the argument of an earlier one still comes', async () => {
      const wire = await remote();
      const large = new Uint8Array(2 * MEBIBYTE);
      await Promise.all([wire.note('a'), wire.note(large), wire.note('b'), wire.note(large), wire.note('c')]);
      const told = await wire.told();
      expect(told.map((each) => (each instanceof Uint8Array ? each.length : each))).toEqual([
        'a',
        large.length,
        'b',
        large.length,
        'c',
      ]);
    });

    test('a call on another reference does not wait for it', async () => {
      const wire = await remote();
      const account = await wire.account(1);
      const answered: string[] = [];
      await Promise.all([
        wire
          .sizeOf(new Uint8Array(lines.sharesMemory ? IN_PARTS_BESIDE : IN_PARTS))
          .then(() => answered.push('large')),
        account.add(1).then(() => answered.push('small')),
      ]);
      expect(answered).toEqual(['small', 'large']);
    });

    test('calls that take long do not hold up others on the same reference', async () => {
      const wire = await remote();
      const release = signalled();
      const answered: string[] = [];
      const long = wire
        .call(() => release.told.then(() => 'long'))
        .then((text) => answered.push(String(text)));
      for (let count = 0; count < 3; count++) answered.push(`short ${await wire.add(count, 0)}`);
      release.tell();
      await long;
      expect(answered).toEqual(['short 0', 'short 1', 'short 2', 'long']);
    });

    test('a call that uses a result waits for it, and those behind it do not, on the same reference either', async () => {
      const wire = await remote();
      const release = signalled();
      const answered: string[] = [];
      const slow = wire.call(() => release.told.then(() => 40)) as unknown as number;
      const used = wire.add(slow, 2).then((sum) => answered.push(`used ${sum}`));
      answered.push(`other ${await wire.add(0, 1)}`);
      release.tell();
      await used;
      expect(answered).toEqual(['other 1', 'used 42']);
    });

    test('a call that uses a result which is there already begins in its turn', async () => {
      const wire = await remote();
      await Promise.all([wire.note('a'), wire.note(wire.add(1, 2)), wire.note('b')]);
      expect(await wire.told()).toEqual(['a', 3, 'b']);
    });

    test('callbacks are called in the order in which the other side calls them', async () => {
      const wire = await remote();
      const heard: unknown[] = [];
      const tell = (item: unknown) => void heard.push(item instanceof Uint8Array ? item.length : item);
      await Promise.all(['a', new Uint8Array(MEBIBYTE), 'b'].map((item) => wire.call(tell, item)));
      expect(heard).toEqual(['a', MEBIBYTE, 'b']);
    });

    /** Awaits a large result, and counts the calls that are made and answered one after another meanwhile. */
    const answeredWhile = async (line: { remote: Awaited<ReturnType<typeof remote>> }, size: number) => {
      const account = await line.remote.account(0);
      let there = false;
      const result = line.remote.bytes(size).then((bytes) => {
        there = true;
        return bytes;
      });
      let answered = 0;
      while (!there) {
        await account.add(1);
        answered += 1;
      }
      const bytes = await result;
      expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([size, 1, 1]);
      return answered;
    };

    test('small calls are answered while a large result is on its way', async () => {
      const size = lines.near ? LARGE : IN_PARTS;
      // How fast is no matter of a test; that they get in between is.
      expect(await answeredWhile(await lines.shared(), size)).toBeGreaterThan(lines.near ? 5 : 0);
    });

    test('a GiB comes whole where it is allowed, and small calls are answered meanwhile', async (context) => {
      if (!lines.takesGiB) context.skip('Once over memory and once over a pipe is enough.');
      if (freemem() < ROOM || availableParallelism() < 2)
        context.skip('A GiB at each end needs more memory.');
      const line = await lines.own({ messageSize: 2 * GIBIBYTE });
      expect(await answeredWhile(line, GIBIBYTE)).toBeGreaterThan(5);
    });
  });
}

import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { fromArguments, fromLines, type InputSource } from '../../../lib/cli/map/inputs.ts';

const drain = async (source: InputSource): Promise<string[]> => {
  const inputs: string[] = [];
  for (let task = await source.next(); task !== undefined; task = await source.next()) {
    expect(task.index).toBe(inputs.length);
    inputs.push(task.input);
  }
  return inputs;
};

describe('inputs from lines', () => {
  it.each([
    ['', []],
    ['a', ['a']],
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\na', ['', '', 'a']],
    ['a\rb\n', ['a\rb']],
  ])('splits %j', async (text, lines) => {
    expect(await drain(fromLines(Readable.from([Buffer.from(text)])))).toEqual(lines);
  });

  it('joins lines and characters that lie across chunks', async () => {
    const bytes = Buffer.from('grün\r\nöde€\nlast');
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(await drain(fromLines(Readable.from(single)))).toEqual(['grün', 'öde€', 'last']);
  });

  it('reads no more chunks than are needed for the lines that were taken', async () => {
    let read = 0;
    async function* chunks() {
      for (;;) {
        read += 1;
        yield Buffer.from('one line\n'.repeat(100));
      }
    }
    const source = fromLines(Readable.from(chunks(), { highWaterMark: 1 }));
    for (let line = 0; line < 100; line += 1) await source.next();
    await new Promise(setImmediate);
    expect(read).toBeLessThan(5);
    source.close();
  });

  it('ends a read that waits when it is closed', async () => {
    const source = fromLines(new Readable({ read() {} }));
    const waiting = source.next();
    source.close();
    expect(await waiting).toBeUndefined();
    expect(await source.next()).toBeUndefined();
  });

  it('passes on that reading failed', async () => {
    const stream = new Readable({ read() {} });
    const waiting = fromLines(stream).next();
    stream.destroy(new Error('the disk is gone'));
    await expect(waiting).rejects.toThrow('the disk is gone');
  });

  it('answers those who ask at once in the order in which they asked', async () => {
    const source = fromLines(Readable.from([Buffer.from('a\nb\n'), Buffer.from('c\n')]));
    const tasks = await Promise.all([source.next(), source.next(), source.next(), source.next()]);
    expect(tasks.map((task) => task && [task.index, task.input])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
      undefined,
    ]);
  });
});

describe('inputs from arguments', () => {
  it('knows how many there are and ends when it is closed', async () => {
    const source = fromArguments(['a', '', 'c']);
    expect(source.total).toBe(3);
    expect(await source.next()).toEqual({ index: 0, input: 'a' });
    expect(await source.next()).toEqual({ index: 1, input: '' });
    source.close();
    expect(await source.next()).toBeUndefined();
  });
});

import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEARTBEAT } from '../../lib/engine/protocol.ts';
import { LineReader, LineSplitter } from '../../lib/fork/lines.ts';

const split = (...chunks: (Buffer | string)[]) => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => void lines.push(line));
  for (const chunk of chunks) splitter.write(chunk);
  return { lines, splitter };
};

describe('a line splitter', () => {
  test('gives lines without their ends, empty ones too, and the rest at the end', () => {
    const { lines, splitter } = split('one\n\ntwo\r\nthr', 'ee\nrest');
    expect(lines).toEqual(['one', '', 'two', 'three']);
    splitter.end();
    splitter.end();
    expect(lines).toEqual(['one', '', 'two', 'three', 'rest']);
  });

  test('gives whole characters, wherever their bytes are cut', () => {
    const bytes = Buffer.from('größe 🙂 語\n');
    for (let at = 0; at <= bytes.length; at++) {
      expect(split(bytes.subarray(0, at), bytes.subarray(at)).lines, `cut at ${at}`).toEqual(['größe 🙂 語']);
    }
  });

  test('takes heartbeats out, wherever they stand and wherever they are cut', () => {
    const text = `${HEARTBEAT}one${HEARTBEAT}${HEARTBEAT}\ntw${HEARTBEAT}o\n${HEARTBEAT}`;
    for (let at = 0; at <= text.length; at++) {
      const { lines, splitter } = split(text.slice(0, at), text.slice(at));
      splitter.end();
      expect(lines, `cut at ${at}`).toEqual(['one', 'two']);
    }
  });

  test('takes heartbeats out of bytes that come one by one', () => {
    const bytes = Buffer.from(`a${HEARTBEAT}b\n${HEARTBEAT}c\n`);
    expect(split(...[...bytes].map((byte) => Buffer.from([byte]))).lines).toEqual(['ab', 'c']);
  });

  test('breaks a line that never ends, and loses nothing of it', () => {
    const { lines, splitter } = split(...Array<string>(10).fill('x'.repeat(10_000)), '\n');
    splitter.end();
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join('')).toHaveLength(100_000);
  });

  test('gives the same lines in whatever pieces they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-zäé🙂 ]*$/u), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
        (lines, pieces) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; at += pieces[i++ % pieces.length]!) {
            chunks.push(bytes.subarray(at, at + pieces[i % pieces.length]!));
          }
          expect(split(...chunks).lines).toEqual(lines);
        },
      ),
    );
  });
});

describe('a line reader', () => {
  const read = () => {
    const stream = new PassThrough();
    const lines: string[] = [];
    return { stream, lines, reader: new LineReader(stream, (line) => void lines.push(line)) };
  };

  test('gives every line of a stream, remembers the last twenty, and what has no end', async () => {
    const { stream, lines, reader } = read();
    for (let i = 0; i < 30; i++) stream.write(`line ${i}\n`);
    stream.end('and the rest');
    await new Promise((resolve) => stream.once('end', resolve));
    expect(lines).toHaveLength(31);
    expect(reader.tail).toEqual([...lines.slice(-20)]);
    expect(reader.tail.at(-1)).toBe('and the rest');
  });

  test('hears a heartbeat, although it is no line', async () => {
    const { stream, lines, reader } = read();
    reader.heardAt = 0;
    stream.write(HEARTBEAT);
    await new Promise(setImmediate);
    expect(reader.heardAt).toBeGreaterThan(0);
    expect(lines).toEqual([]);
  });

  test('survives a stream that fails', async () => {
    const { stream, lines } = read();
    stream.write('one\n');
    await new Promise(setImmediate);
    stream.destroy(new Error('EIO'));
    await new Promise(setImmediate);
    expect(lines).toEqual(['one']);
  });
});

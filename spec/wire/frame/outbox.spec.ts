import { describe, expect, test } from 'vitest';
import { HEADER, Kind, ONCE } from '../../../lib/wire/frame/frame.ts';
import { Outbox } from '../../../lib/wire/frame/outbox.ts';

const written = (outbox: Outbox) => outbox.bytes.subarray(0, outbox.length);

describe('a frame in the outbox', () => {
  test('is a size, a kind, flags, the number of segments, an id and a body, little-endian', () => {
    const outbox = new Outbox();
    expect(outbox.begin(Kind.call, ONCE, 0x0102, -3)).toBe(0);
    outbox.byte(0x7f);
    outbox.end();
    const bytes = written(outbox);
    expect(bytes.length).toBe(HEADER + 8 + 1);
    expect(bytes.readUInt32LE(0)).toBe(bytes.length - 4);
    expect([bytes[4], bytes[5], bytes.readUInt16LE(6)]).toEqual([Kind.call, ONCE, 0x0102]);
    expect(bytes.readDoubleLE(HEADER)).toBe(-3);
    expect(bytes.at(-1)).toBe(0x7f);
  });

  test('lies right behind the one before it', () => {
    const outbox = new Outbox();
    outbox.begin(Kind.ping, 0, 0, 1);
    outbox.end();
    expect(outbox.begin(Kind.pong, 0, 0, 2)).toBe(HEADER + 8);
    outbox.end();
    expect(outbox.length).toBe(2 * (HEADER + 8));
  });

  test('is taken back without a trace, and those before it stay', () => {
    const outbox = new Outbox();
    outbox.begin(Kind.ping, 0, 0, 1);
    outbox.end();
    const before = Buffer.from(written(outbox));
    outbox.begin(Kind.return, 0, 0, 2);
    outbox.text('half a body');
    outbox.abandon();
    expect(written(outbox)).toEqual(before);
  });
});

describe('the outbox', () => {
  test('writes doubles, text, segments and raw bytes one after another', () => {
    const outbox = new Outbox();
    outbox.double(1.5);
    expect(outbox.text('größe')).toBe(7);
    outbox.segment('añ');
    outbox.raw(new Uint8Array([1, 2, 3]));
    const bytes = written(outbox);
    expect(bytes.readDoubleLE(0)).toBe(1.5);
    expect(bytes.toString('utf8', 8, 15)).toBe('größe');
    expect(bytes.readUInt16LE(15)).toBe(3);
    expect(bytes.toString('utf8', 17, 20)).toBe('añ');
    expect([...bytes.subarray(20)]).toEqual([1, 2, 3]);
  });

  test('grows for what is large and keeps what was written before', () => {
    const outbox = new Outbox();
    outbox.text('before');
    const large = new Uint8Array(3_000_000).fill(7);
    outbox.raw(large);
    outbox.text('語'.repeat(100_000));
    expect(written(outbox).toString('utf8', 0, 6)).toBe('before');
    expect(outbox.length).toBe(6 + large.length + 300_000);
    expect(outbox.bytes[6 + large.length - 1]).toBe(7);
  });

  test('refuses the name of a property that has more than 65,535 bytes', () => {
    expect(() => new Outbox().segment('x'.repeat(65_536))).toThrow(RangeError);
    const outbox = new Outbox();
    outbox.segment('x'.repeat(65_535));
    expect(outbox.length).toBe(65_537);
  });

  test('begins anew in the same memory, unless the link still reads from it', () => {
    const outbox = new Outbox();
    const first = outbox.bytes;
    outbox.text('x');
    outbox.reset(false);
    expect(outbox.length).toBe(0);
    expect(outbox.bytes).toBe(first);
    outbox.reset(true);
    expect(outbox.bytes).not.toBe(first);
  });

  test('does not hold on to the memory of one large message', () => {
    const outbox = new Outbox();
    outbox.reserve(5_000_000);
    outbox.reset(false);
    expect(outbox.bytes.length).toBeLessThan(1_000_000);
  });
});

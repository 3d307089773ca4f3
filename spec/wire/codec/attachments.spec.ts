import { describe, expect, test } from 'vitest';
import { transfer } from '../../../lib/wire/codec/transfer.ts';
import { UnserializableError } from '../../../lib/wire/errors.ts';
import { contextOf, decode, encode, roundTrip } from './there-and-back.ts';

const numbered = (size: number) => Uint8Array.from({ length: size }, (_, i) => i).buffer as ArrayBuffer;

describe('views over one memory', () => {
  test('share it on arrival, also with the buffer itself', () => {
    const memory = numbered(16);
    const value = [new Float64Array(memory, 8, 1), new Uint8Array(memory, 2, 4), memory] as const;
    const [doubles, bytes, buffer] = roundTrip(value);
    expect(doubles.buffer).toBe(buffer);
    expect(bytes.buffer).toBe(buffer);
    expect([doubles.byteOffset, doubles.length, bytes.byteOffset, bytes.length]).toEqual([8, 1, 2, 4]);
    expect(buffer.byteLength).toBe(16);
    bytes[0] = 99;
    expect(new Uint8Array(buffer)[2]).toBe(99);
  });

  test('are sent with it once', () => {
    const memory = new ArrayBuffer(10_000);
    expect(encode([new Uint8Array(memory), new DataView(memory)]).length).toBeLessThan(10_200);
  });

  test('that are Buffers send their own part only', () => {
    const pool = Buffer.from(numbered(1000));
    const body = encode([pool.subarray(1, 3), pool.subarray(5, 6)]);
    expect(body.length).toBeLessThan(200);
    expect(decode(body)).toStrictEqual([Buffer.from([1, 2]), Buffer.from([5])]);
  });
});

describe('transfer', () => {
  test.each<[string, (memory: ArrayBuffer) => ArrayBuffer | ArrayBufferView]>([
    ['a buffer', (memory) => memory],
    ['a part of it', (memory) => new Uint8Array(memory, 4, 2)],
    ['a Buffer with memory of its own', (memory) => Buffer.from(memory)],
  ])('empties it here, on a link that copies too: %s', (_name, view) => {
    const memory = numbered(8);
    const given = view(memory);
    expect(transfer(given)).toBe(given);
    const expected = structuredClone(ArrayBuffer.isView(given) ? Array.from(given as Uint8Array) : null);
    const back = roundTrip({ given }).given;
    expect(memory.byteLength).toBe(0);
    if (expected) expect(Array.from(back as Uint8Array)).toEqual(expected);
    else expect(back).toStrictEqual(numbered(8));
    expect(() => encode(given)).toThrow(/moved away/);
  });

  test('happens only if the whole can be sent', () => {
    const memory = transfer(numbered(8));
    expect(() => encode([memory, Symbol('no')])).toThrow(UnserializableError);
    expect(memory.byteLength).toBe(8);
    encode(memory);
    expect(memory.byteLength).toBe(0);
  });

  test('is left to a link that carries it, as the whole memory', () => {
    const carried: [Uint8Array, boolean][] = [];
    const { context } = contextOf({
      carry: (bytes, moves) => carried.push([bytes, moves]) + 6,
      carried: (number, size) => (number === 7 && size === 8 ? numbered(8) : new ArrayBuffer(0)),
    });
    const memory = numbered(8);
    const body = encode(transfer(new Uint8Array(memory, 4, 2)), context);
    expect(carried).toEqual([[new Uint8Array(memory), true]]);
    expect(body.length).toBeLessThan(100);
    expect([...(decode(body, context) as Uint8Array)]).toEqual([4, 5]);
  });

  test('refuses what can not move', () => {
    expect(() => transfer(new Uint8Array(new SharedArrayBuffer(1)))).toThrow(TypeError);
    expect(() => transfer(Buffer.from('pooled'))).toThrow(TypeError);
  });
});

test('bytes that a link carries beside the frame are a copy of their own part', () => {
  const seen: [number, boolean][] = [];
  const { context } = contextOf({ carry: (bytes, moves) => seen.push([bytes.byteLength, moves]) });
  encode([new Uint8Array(numbered(9), 2, 3)], context);
  expect(seen).toEqual([[3, false]]);
});

test('shared memory is shared by a link that can, alone and in views', () => {
  const memory = new SharedArrayBuffer(8);
  const { context } = contextOf({ share: () => 3, shared: (number) => (number === 3 ? memory : undefined!) });
  const back = roundTrip([memory, new Int32Array(memory, 4, 1)] as const, context);
  expect(back[0]).toBe(memory);
  expect(back[1].buffer).toBe(memory);
  expect(back[1].byteOffset).toBe(4);
});

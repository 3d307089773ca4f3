import { stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pack, sizesOf, toMemory, unpack } from '../../../lib/cluster/broadcast/packed.ts';
import { readShared, SharedFile } from '../../../lib/cluster/broadcast/shared-file.ts';
import { UnserializableError } from '../../../lib/wire/errors.ts';
import { rejection } from '../../support/sites.ts';

const value = {
  rows: [{ id: 1, at: new Date(5) }],
  map: new Map([['a', new Float64Array(1_000).fill(1.5)]]),
  small: new Uint8Array([1, 2, 3]),
  bytes: new Uint8Array(10_000).fill(7),
};

describe('a value that is written down once', () => {
  test('is the same again, with memory of its own if others have its parts', () => {
    const packed = pack(value);
    expect(packed.parts).toHaveLength(2);
    const copy = unpack(packed, false) as typeof value;
    expect(copy).toEqual(value);
    expect(copy.bytes.buffer).not.toBe(value.bytes.buffer);
  });

  test('can lie in shared memory, of which there is one for all', () => {
    const packed = pack(value);
    const parts = packed.parts.map((part) => new Uint8Array(toMemory(part)));
    const [a, b] = [0, 1].map(() => unpack({ body: packed.body, parts }, true) as typeof value);
    expect([...a!.bytes]).toEqual([...value.bytes]);
    expect(a!.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(a!.bytes.buffer).toBe(b!.bytes.buffer);
  });

  test('is refused if it is more than data', () => {
    expect(() => pack({ f: () => 1 })).toThrow(UnserializableError);
    expect(() => pack([new SharedArrayBuffer(8)])).toThrow(UnserializableError);
  });
});

describe('a file that processes of one host share', () => {
  test('gives what was written, to this user alone, and is gone afterwards', async () => {
    const file = await SharedFile.make();
    const packed = pack(value);
    await file.write(packed);
    const read = await readShared(file.place, sizesOf(packed));
    expect(unpack(read!, true)).toEqual(value);
    expect((await stat(file.place.path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file.place.path))).mode & 0o777).toBe(0o700);
    expect(await rejection(readShared(file.place, [1 << 20]))).toBeInstanceOf(RangeError);
    await file[Symbol.asyncDispose]();
    expect(await readShared(file.place, [])).toBeUndefined();
  });

  test('is not taken for another one of its name', async () => {
    const file = await SharedFile.make();
    await writeFile(file.place.path, new Uint8Array(64));
    expect(await readShared(file.place, [])).toBeUndefined();
    await file[Symbol.asyncDispose]();
  });
});

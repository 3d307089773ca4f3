import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { pump } from '../../../lib/fork/elastic/pump.ts';
import { StreamLink } from '../../../lib/wire/link/stream-link.ts';

/** A frame of so many bytes, the first four of which say how many follow. */
const frame = (size: number, fill: number): Buffer => {
  const bytes = Buffer.alloc(4 + size, fill);
  bytes.writeUInt32LE(size);
  return bytes;
};

/** Two links that are one, and the four outer streams. */
const pair = () => {
  const [fromNear, toNear, fromFar, toFar] = Array.from({ length: 4 }, () => new PassThrough());
  const over = pump(new StreamLink(fromNear!, toNear!), new StreamLink(fromFar!, toFar!));
  return { over, fromNear: fromNear!, toNear: toNear!, fromFar: fromFar!, toFar: toFar! };
};

test('two links that are made one hand on whole frames in both directions, and tell of the end', async () => {
  const { over, fromNear, toNear, fromFar, toFar } = pair();
  const [up, down] = [frame(40, 1), frame(50, 2)];
  fromNear.write(up);
  fromFar.write(down.subarray(0, 9));
  fromFar.write(down.subarray(9));
  await expect.poll(() => toFar.readableLength).toBe(44);
  expect((toFar.read() as Buffer).equals(up)).toBe(true);
  await expect.poll(() => toNear.readableLength).toBe(54);
  expect((toNear.read() as Buffer).equals(down)).toBe(true);
  fromNear.end();
  await over;
});

test('who sends is held up while nobody reads, so that nothing gathers between two links', async () => {
  const { fromNear, toFar } = pair();
  const one = frame(100_000, 3);
  for (let written = 0; written < 100; written++) fromNear.write(one);
  for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(toFar.readableLength + toFar.writableLength).toBeLessThan(1_000_000);
  let came = 0;
  toFar.on('data', (bytes: Buffer) => {
    came += bytes.length;
  });
  await expect.poll(() => came).toBe(100 * one.length);
});

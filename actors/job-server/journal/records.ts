import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

/**
 * Values of the journal: a checksum, and what it is of. LevelDB has checksums too, and its Node.js binding looks at none
 * of them when it reads.
 */

const CHECK = 4;
const SIZE = 4;

/** How a job ended, as it is kept. */
export interface OutcomeHead {
  /** The state that a job has for good. */
  readonly status: string;
  readonly ok: boolean;
  /** When it was started and when it ended, in milliseconds since 1970; nothing if it never was. */
  readonly startedAt?: number;
  readonly endedAt: number;
  /** The site in which it ran. */
  readonly site?: string;
  /** When it is dropped. */
  readonly expires: number;
  /** As which one of its submission it came. */
  readonly order: number;
}

/** A value with its checksum. */
export const sealed = (...parts: readonly Uint8Array[]): Buffer => {
  let size = CHECK;
  for (const part of parts) size += part.byteLength;
  const value = Buffer.allocUnsafe(size);
  let at = CHECK;
  for (const part of parts) {
    value.set(part, at);
    at += part.byteLength;
  }
  value.writeUInt32BE(crc32(value.subarray(CHECK)), 0);
  return value;
};

/** What was sealed, or nothing if it is no longer that. */
export const unsealed = (value: Buffer): Buffer | undefined => {
  if (value.length < CHECK) return undefined;
  const content = value.subarray(CHECK);
  return crc32(content) === value.readUInt32BE(0) ? content : undefined;
};

const sizeOf = (bytes: Uint8Array): Buffer => {
  const size = Buffer.allocUnsafe(SIZE);
  size.writeUInt32BE(bytes.byteLength, 0);
  return size;
};

/** Two values behind each other, sealed. */
export const sealedPair = (first: Uint8Array, second: Uint8Array): Buffer =>
  sealed(sizeOf(first), first, second);

/** The two of a pair. Throws RangeError. */
export const pairIn = (content: Buffer): [Buffer, Buffer] => {
  const end = SIZE + content.readUInt32BE(0);
  if (end > content.length) throw new RangeError('a value is shorter than it says.');
  return [content.subarray(SIZE, end), content.subarray(end)];
};

/** Data as JSON, sealed. */
export const sealedJson = (value: unknown): Buffer => sealed(Buffer.from(JSON.stringify(value)));

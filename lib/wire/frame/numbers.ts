import type { Buffer } from 'node:buffer';
import { ProtocolError } from '../errors.ts';

/**
 * Numbers out of frames. They are looked for within the frame and nowhere else: behind it lie other frames, or bytes that
 * were never sent. All throw ProtocolError.
 */

/** The double at `at` in a frame that ends at `end`. */
export const doubleAt = (bytes: Buffer, at: number, end: number): number => {
  if (at + 8 > end) throw new ProtocolError('A frame arrived that is shorter than what its kind must hold.');
  return bytes.readDoubleLE(at);
};

/** The size before a segment of a path. */
export const sizeAt = (bytes: Buffer, at: number, end: number): number => {
  if (at + 2 > end) throw new ProtocolError('A call arrived whose path is longer than its frame.');
  return bytes.readUInt16LE(at);
};

/** The id that the peer chose for a call of its own. */
export const callId = (id: number): number => {
  if (!(Number.isSafeInteger(id) && id > 0)) {
    throw new ProtocolError(`The peer made a call under ${id}, which is no whole number above 0.`);
  }
  return id;
};

import { Buffer } from 'node:buffer';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { ProtocolError } from '../errors.ts';
import type { Beside } from './link.ts';

/** A message that went beside a ring. */
export interface BesideMessage {
  readonly bytes: Buffer;
  readonly values: Beside['values'] | undefined;
}

/** Whether an ArrayBuffer holds hardly anything but these bytes, so that moving it is less work than copying them. */
const ownsMemory = (bytes: Buffer): boolean =>
  bytes.byteOffset === 0 &&
  // What is smaller may lie in Node's pool, which can't move; no view of that has more than half of it.
  bytes.length * 2 > bytes.buffer.byteLength &&
  bytes.buffer instanceof ArrayBuffer;

/**
 * Posts a message beside the ring; returns whether its memory has moved, so that the sender has it no longer. Throws
 * what `postMessage` throws, and then nothing was sent.
 */
export const postBeside = (port: MessagePort, bytes: Buffer, beside: Beside | undefined): boolean => {
  const moves = ownsMemory(bytes);
  let posted: Uint8Array = bytes;
  if (!moves) {
    posted = Buffer.allocUnsafeSlow(bytes.length);
    posted.set(bytes);
  }
  const transfer = [posted.buffer as ArrayBuffer, ...(beside?.transfer ?? [])];
  port.postMessage(beside ? [posted, beside.values] : [posted], transfer);
  return moves;
};

const isMemory = (value: unknown): boolean =>
  value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;

/**
 * The next message beside the ring, `undefined` if there is none. Throws ProtocolError if it is not one of ours, and what
 * `receiveMessageOnPort` throws.
 */
export const receiveBeside = (port: MessagePort): BesideMessage | undefined => {
  const received = receiveMessageOnPort(port) as { message: unknown } | undefined;
  if (!received) return undefined;
  const { message } = received;
  const [bytes, values] = Array.isArray(message) ? (message as unknown[]) : [];
  if (!(bytes instanceof Uint8Array) || (values !== undefined && !isListOfMemory(values))) {
    throw new ProtocolError('What lies beside the ring is no message.');
  }
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), values };
};

const isListOfMemory = (values: unknown): values is Beside['values'] =>
  Array.isArray(values) && values.every(isMemory);

import { Buffer } from 'node:buffer';
import { decodeBody, encodeArguments, encodeBody } from '../wire/codec/codec.ts';
import type { DecodeContext, EncodeContext } from '../wire/codec/context.ts';
import { shown } from '../wire/codec/path.ts';
import { UnserializableError } from '../wire/errors.ts';
import { Outbox } from '../wire/frame/outbox.ts';
import { DEFAULT_LIMITS } from '../wire/limits.ts';

/** A buffer that one large value has grown past this is not kept for the next one. */
const KEEP = 1024 * 1024;

const context: EncodeContext = {
  depth: DEFAULT_LIMITS.depth,
  exportValue: (_, path) => {
    const where = path();
    throw new UnserializableError(
      `${shown(where)} is a function, a reference, a stream or a signal, which ends with its process and so can't be written to a journal; send plain data, or leave the journal out.`,
      where,
    );
  },
  withdraw: () => {},
  // All bytes lie in the one buffer that goes to the disk.
  carry: () => undefined,
  share: () => undefined,
};

const notThere = (): never => {
  throw new RangeError('it holds something that can not be written down.');
};

const reading: DecodeContext = {
  depth: DEFAULT_LIMITS.depth,
  importValue: notThere,
  carried: notThere,
  shared: notThere,
  later: notThere,
};

let outbox = new Outbox();

/** A getter of the value may write down another one meanwhile, which then lies behind what is there already. */
const written = (write: (into: Outbox) => void): Buffer => {
  const into = outbox;
  const start = into.length;
  try {
    write(into);
    return Buffer.from(into.bytes.subarray(start, into.length));
  } finally {
    into.length = start;
    if (start === 0 && into.bytes.length > KEEP) outbox = new Outbox();
  }
};

/** A value as bytes that need nothing else to be read; `name` is what errors call it. Throws UnserializableError. */
export const writeDown = (value: unknown, name: string): Buffer =>
  written((into) => encodeBody(into, value, context, name));

/** The same for the arguments of a call. */
export const writeArguments = (args: readonly unknown[]): Buffer =>
  written((into) => encodeArguments(into, args, context, 'arguments'));

/** The value that was written down. Throws UndecodableError. */
export const readBack = (bytes: Uint8Array): unknown => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeBody(buffer, 0, buffer.length, reading);
};

import { Buffer } from 'node:buffer';
import { decodeBody, encodeBody } from '../../wire/codec/codec.ts';
import { UnserializableError } from '../../wire/errors.ts';
import { Outbox } from '../../wire/frame/outbox.ts';
import { DEFAULT_LIMITS } from '../../wire/limits.ts';

/** Bytes of this many lie beside the text of a value, so that they are copied no more than they must. */
const BESIDE = 4 * 1024;

/** A value that was written down once for all who get it. */
export interface Packed {
  readonly body: Uint8Array;
  /** The bytes in it that are large. */
  readonly parts: readonly Uint8Array[];
}

const notData = (): never => {
  throw new UnserializableError(
    'What is broadcast, and what is sent as a message, is data: functions, streams, signals, references and shared memory stay where they are. Pass those as arguments.',
    'value',
  );
};

/** Writes a value down; what it gives lies in the outbox, and its parts where they are. */
const packInto = (outbox: Outbox, value: unknown): Packed => {
  const parts: Uint8Array[] = [];
  encodeBody(
    outbox,
    value,
    {
      depth: DEFAULT_LIMITS.depth,
      exportValue: notData,
      withdraw: () => {},
      carry: (bytes) => (bytes.byteLength < BESIDE ? undefined : parts.push(bytes) - 1),
      share: notData,
    },
    'value',
  );
  return { body: outbox.bytes.subarray(0, outbox.length), parts };
};

/** Writes a value down. Throws UnserializableError. */
export const pack = (value: unknown): Packed => packInto(new Outbox(), value);

/** Nobody's while a value is written: what is written may have others written. */
let scratch: Outbox | undefined;

/** The same in memory of its own, and no more than it needs: who has it may change what was written, while it waits. */
export const packApart = (value: unknown): Packed => {
  const outbox = scratch ?? new Outbox();
  scratch = undefined;
  try {
    const { body, parts } = packInto(outbox, value);
    // Not slice(): a Buffer's copies nothing.
    return { body: new Uint8Array(body), parts: parts.map((part) => new Uint8Array(part)) };
  } finally {
    outbox.reset(false);
    scratch = outbox;
  }
};

/**
 * Reads a value; `own` says that its parts may be used as they are: nobody else has their memory, or all who have it only
 * read. Throws UndecodableError.
 */
export const unpack = ({ body, parts }: Packed, own: boolean): unknown =>
  decodeBody(Buffer.from(body.buffer, body.byteOffset, body.byteLength), 0, body.byteLength, {
    depth: DEFAULT_LIMITS.depth,
    importValue: notData,
    carried: (number) => {
      const part = parts[number];
      if (!part) throw new RangeError(`there is no part ${number}.`);
      const whole = own && part.byteLength === part.buffer.byteLength;
      // Views can be made on shared memory as well.
      return (whole ? part.buffer : part.slice().buffer) as ArrayBuffer;
    },
    shared: notData,
    later: notData,
  });

/** The sizes of all its pieces, in their order. */
export const sizesOf = ({ body, parts }: Packed): number[] => [body, ...parts].map((each) => each.byteLength);

/** How many bytes it has. */
export const sizeOf = (packed: Packed): number => sizesOf(packed).reduce((sum, each) => sum + each, 0);

/** A copy of bytes in memory that threads share. */
export const toMemory = (bytes: Uint8Array): SharedArrayBuffer => {
  const memory = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(memory).set(bytes);
  return memory;
};

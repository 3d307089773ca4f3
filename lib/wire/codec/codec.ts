import { Buffer } from 'node:buffer';
import { ProtocolError, UndecodableError } from '../errors.ts';
import type { Outbox } from '../frame/outbox.ts';
import { isByReference } from '../reference/reference.ts';
import type { DecodeContext, EncodeContext, LiveRecord } from './context.ts';
import { isPlain } from './plain.ts';
import { refuseLossy } from './refuse.ts';
import { bareRecord, type ErrorRecord, isError, rebuildError, recordError } from './remote-error.ts';
import { makeSuperJSON } from './superjson.deferred.ts';

/** Kinds of body. */
const PLAIN = 0;
const RICH = 1;
/** Nothing but `undefined`, which many calls give. */
const NOTHING = 2;

/** Bytes that travel behind the JSON, and whose they are. */
interface Bytes {
  view: string;
  index: number;
}

/**
 * What the encoding or decoding that runs now needs. Superjson's transformers take no context, and both run to
 * their end without a break, so one variable is enough.
 */
let attachments: Uint8Array[] = [];
let tables: EncodeContext;
let decoder: DecodeContext;
let introduced: LiveRecord[] = [];

/** Constructors of what is sent as raw bytes; a Buffer is a Buffer again. */
const VIEWS = {
  Buffer: (b: ArrayBuffer) => Buffer.from(b),
  ArrayBuffer: (b: ArrayBuffer) => b,
  DataView: (b: ArrayBuffer) => new DataView(b),
  Uint8Array: (b: ArrayBuffer) => new Uint8Array(b),
  Uint8ClampedArray: (b: ArrayBuffer) => new Uint8ClampedArray(b),
  Int8Array: (b: ArrayBuffer) => new Int8Array(b),
  Uint16Array: (b: ArrayBuffer) => new Uint16Array(b),
  Int16Array: (b: ArrayBuffer) => new Int16Array(b),
  Uint32Array: (b: ArrayBuffer) => new Uint32Array(b),
  Int32Array: (b: ArrayBuffer) => new Int32Array(b),
  Float32Array: (b: ArrayBuffer) => new Float32Array(b),
  Float64Array: (b: ArrayBuffer) => new Float64Array(b),
  BigInt64Array: (b: ArrayBuffer) => new BigInt64Array(b),
  BigUint64Array: (b: ArrayBuffer) => new BigUint64Array(b),
} as const;

const viewName = (value: object): string => {
  if (Buffer.isBuffer(value)) return 'Buffer';
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return name === 'SharedArrayBuffer' ? 'ArrayBuffer' : name;
};

const isBytes = (value: unknown): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;

const sendable = (value: unknown): boolean => {
  try {
    refuseLossy(value, 'value');
    return true;
  } catch {
    return false;
  }
};

/** The errors that are being encoded, from the outside in. */
const unfolding = new Set<Error>();

let made: ReturnType<typeof makeSuperJSON> | undefined;

/** Superjson as the wire uses it; made when it is needed, because much that crosses is plain. */
const rich = (): ReturnType<typeof makeSuperJSON> => {
  if (made) return made;
  const superjson = makeSuperJSON();
  made = superjson;
  superjson.registerCustom<object, { kind: string; id: number; home: boolean }>(
    {
      isApplicable: (value): value is object => isByReference(value),
      serialize: (value) => {
        const record = tables.exportValue(value);
        introduced.push(record);
        return { ...record } as { kind: string; id: number; home: boolean };
      },
      deserialize: (record) => decoder.importValue(record) as object,
    },
    'reference',
  );
  superjson.registerCustom<ArrayBuffer | ArrayBufferView, { view: string; index: number }>(
    {
      isApplicable: isBytes,
      serialize: (value) => {
        const view = viewName(value);
        const bytes = ArrayBuffer.isView(value)
          ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
          : new Uint8Array(value);
        return { view, index: attachments.push(bytes) - 1 };
      },
      deserialize: ({ view, index }: Bytes) => {
        const bytes = attachments[index];
        const make = VIEWS[view as keyof typeof VIEWS];
        if (!bytes || !make) throw new TypeError(`There is no ${view} at attachment ${index}.`);
        return make(bytes.buffer as ArrayBuffer);
      },
    },
    'bytes',
  );
  superjson.registerCustom<Error, { text: string }>(
    {
      isApplicable: isError,
      serialize: (error) => {
        // A cause may lead back to its error.
        const again = unfolding.has(error);
        unfolding.add(error);
        try {
          // As text of its own, because superjson notes by paths where one object occurs twice, and in the error that is
          // made of a record they lead elsewhere.
          return { text: superjson.stringify(again ? bareRecord(error) : recordError(error, sendable)) };
        } finally {
          if (!again) unfolding.delete(error);
        }
      },
      deserialize: ({ text }) => rebuildError(superjson.parse<ErrorRecord>(text)),
    },
    'error',
  );
  superjson.registerCustom<Date, string>(
    {
      isApplicable: (value): value is Date => value instanceof Date && Number.isNaN(value.getTime()),
      serialize: () => 'invalid',
      deserialize: () => new Date(Number.NaN),
    },
    'invalid-date',
  );
  return superjson;
};

/** Appends a value to the frame that is being written; throws UnserializableError and leaves no trace. */
export const encodeBody = (outbox: Outbox, value: unknown, context: EncodeContext, path: string): void => {
  if (value === undefined) {
    outbox.byte(NOTHING);
  } else if (isPlain(value)) {
    outbox.byte(PLAIN);
    outbox.text(JSON.stringify(value));
  } else {
    encodeRich(outbox, value, context, path);
  }
};

const encodeRich = (outbox: Outbox, value: unknown, context: EncodeContext, path: string): void => {
  refuseLossy(value, path);
  // A getter of the value may itself make a call and so encode in the midst of this.
  const outer = { attachments, introduced, tables };
  attachments = [];
  introduced = [];
  tables = context;
  try {
    const text = JSON.stringify(rich().serialize(value));
    outbox.byte(RICH);
    outbox.double(attachments.length);
    for (const bytes of attachments) outbox.double(bytes.byteLength);
    for (const bytes of attachments) outbox.raw(bytes);
    outbox.text(text);
  } catch (cause) {
    for (const record of introduced) context.withdraw(record);
    throw cause;
  } finally {
    ({ attachments, introduced, tables } = outer);
  }
};

/** Reads the value that lies in `bytes` from `start` to `end`; throws UndecodableError. */
export const decodeBody = (bytes: Buffer, start: number, end: number, context: DecodeContext): unknown => {
  try {
    switch (bytes[start]) {
      case NOTHING:
        return undefined;
      case PLAIN:
        return JSON.parse(bytes.toString('utf8', start + 1, end));
      case RICH:
        return decodeRich(bytes, start + 1, end, context);
      default:
        throw new RangeError(`There is no kind of body ${bytes[start]}.`);
    }
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new UndecodableError(`A message arrived whose body could not be read: ${String(cause)}`, { cause });
  }
};

const decodeRich = (bytes: Buffer, start: number, end: number, context: DecodeContext): unknown => {
  const count = bytes.readDoubleLE(start);
  let sizeAt = start + 8;
  let at = sizeAt + count * 8;
  if (!(count >= 0 && at <= end)) throw new RangeError(`${count} attachments do not fit into the message.`);
  const found: Uint8Array[] = [];
  for (let i = 0; i < count; i++, sizeAt += 8) {
    const size = bytes.readDoubleLE(sizeAt);
    if (!(size >= 0 && at + size <= end))
      throw new RangeError(`Attachment ${i} of ${size} bytes does not fit.`);
    // A copy of its own: the link's memory is used again, and views need aligned memory.
    const copy = new Uint8Array(size);
    bytes.copy(copy, 0, at, at + size);
    found.push(copy);
    at += size;
  }
  attachments = found;
  decoder = context;
  try {
    return rich().deserialize(JSON.parse(bytes.toString('utf8', at, end)));
  } finally {
    attachments = [];
  }
};

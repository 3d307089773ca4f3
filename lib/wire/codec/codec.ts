import type { Buffer } from 'node:buffer';
import { ProtocolError, UndecodableError } from '../errors.ts';
import type { Outbox } from '../frame/outbox.ts';
import type { DecodeContext, EncodeContext } from './context.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';
import { isDeeperThan, isPlain } from './plain.ts';

/** Kinds of body. */
const PLAIN = 0;
const RICH = 1;
/** Nothing but `undefined`, which many calls give. */
const NOTHING = 2;

/**
 * Appends a value to the frame that is being written; `path` is its name in errors. Throws UnserializableError,
 * LimitError and what getters of the value throw, and then leaves no trace.
 */
export const encodeBody = (outbox: Outbox, value: unknown, context: EncodeContext, path: string): void => {
  if (value === undefined) {
    outbox.byte(NOTHING);
  } else if (isPlain(value, context.depth)) {
    const text = JSON.stringify(value);
    outbox.byte(PLAIN);
    outbox.text(text);
  } else {
    const start = outbox.length;
    outbox.byte(RICH);
    try {
      new Encoder(context, path).write(value, outbox);
    } catch (cause) {
      outbox.length = start;
      throw cause;
    }
  }
};

/** Reads the value that lies in `bytes` from `start` to `end`; throws UndecodableError, whatever the bytes are,
 * and the ProtocolError of a context. */
export const decodeBody = (bytes: Buffer, start: number, end: number, context: DecodeContext): unknown => {
  try {
    switch (start < end ? bytes[start] : undefined) {
      case NOTHING:
        return undefined;
      case PLAIN:
        return decodePlain(bytes, start + 1, end, context.depth);
      case RICH:
        return new Decoder(bytes, start + 1, end, context).value();
      default:
        throw new RangeError(`there is no kind of body ${bytes[start]}.`);
    }
  } catch (cause) {
    // What the peer may not send at all is no matter of this message alone.
    if (cause instanceof ProtocolError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UndecodableError(`A message arrived whose body could not be read: ${why}`, { cause });
  }
};

const decodePlain = (bytes: Buffer, start: number, end: number, depth: number): unknown => {
  const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
  // A level takes two bytes at least, so little text can't be deep.
  if (end - start > depth * 2 && isDeeperThan(value, depth)) {
    throw new RangeError(`it is nested deeper than ${depth} levels.`);
  }
  return value;
};

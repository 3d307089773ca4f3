import type { Buffer } from 'node:buffer';
import { ProtocolError, UndecodableError } from '../errors.ts';
import type { Outbox } from '../frame/outbox.ts';
import type { DecodeContext, EncodeContext } from './context.ts';
import { isDeeperThan, isPlain, isPlainNumber } from './plain.ts';
import { readRich, writeRich } from './rich.deferred.ts';

/** Kinds of body. */
const PLAIN = 0;
const RICH = 1;
/** Nothing but `undefined`, which many calls give. */
const NOTHING = 2;
/** The digit, in ASCII. */
const ZERO = 48;

/**
 * Appends a value to the frame that is being written; `path` is its name in errors. Throws UnserializableError,
 * LimitError and what getters of the value throw, and then leaves no trace.
 */
export const encodeBody = (outbox: Outbox, value: unknown, context: EncodeContext, path: string): void => {
  if (value === undefined) {
    outbox.byte(NOTHING);
  } else if (isWhole(value)) {
    outbox.byte(PLAIN);
    outbox.text(String(value));
  } else if (isPlain(value, context.depth)) {
    writePlain(outbox, value);
  } else {
    const start = outbox.length;
    outbox.byte(RICH);
    try {
      writeRich(outbox, value, context, path);
    } catch (cause) {
      outbox.length = start;
      throw cause;
    }
  }
};

/**
 * The same for the arguments of a call: a list that was made for it, so that it holds nothing but its elements. Most are
 * numbers and short texts, and need no walk.
 */
export const encodeArguments = (
  outbox: Outbox,
  args: readonly unknown[],
  context: EncodeContext,
  path: string,
): void => {
  if (args.every(isPrimitive)) writePlain(outbox, args);
  else encodeBody(outbox, args, context, path);
};

const writePlain = (outbox: Outbox, value: unknown): void => {
  const text = JSON.stringify(value);
  outbox.byte(PLAIN);
  outbox.text(text);
};

/** Whether a value is a whole number, whose text is known without JSON. */
const isWhole = (value: unknown): boolean =>
  // -0 is no zero.
  Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0);

const isPrimitive = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'boolean' || value === null || isPlainNumber(value);

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
        return readRich(bytes, start + 1, end, context);
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

/** The number that nothing but digits stand for, as in the answers of many calls; -1 for all else. */
const wholeNumber = (bytes: Buffer, start: number, end: number): number => {
  // What begins with 0 is 0, or no JSON.
  if (start === end || (bytes[start] === ZERO && end - start > 1)) return -1;
  let whole = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    whole = whole * 10 + digit;
  }
  return whole;
};

const decodePlain = (bytes: Buffer, start: number, end: number, depth: number): unknown => {
  if (end - start < 10) {
    const whole = wholeNumber(bytes, start, end);
    if (whole >= 0) return whole;
  }
  const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
  // A level takes two bytes at least, so little text can't be deep.
  if (end - start > depth * 2 && isDeeperThan(value, depth)) {
    throw new RangeError(`it is nested deeper than ${depth} levels.`);
  }
  return value;
};

import { Buffer } from 'node:buffer';
import { decodeBody, encodeBody } from '../../../lib/wire/codec/codec.ts';
import type { DecodeContext, EncodeContext, LiveRecord } from '../../../lib/wire/codec/context.ts';
import { Outbox } from '../../../lib/wire/frame/outbox.ts';

/** The context of a sender and a receiver in one, which notes what was done with it; links can be played. */
export const contextOf = (link: Partial<EncodeContext & DecodeContext> = {}) => {
  const values: unknown[] = [];
  const withdrawn: number[] = [];
  const later: Promise<void>[] = [];
  const refuse = (number: number): never => {
    throw new RangeError(`There is nothing under ${number}.`);
  };
  const context: EncodeContext & DecodeContext = {
    depth: 1000,
    exportValue: (value): LiveRecord => ({ kind: 'reference', id: -values.push(value), home: false }),
    importValue: ({ id }) => values[-id - 1],
    withdraw: ({ id }) => void withdrawn.push(id),
    carry: () => undefined,
    share: () => undefined,
    carried: refuse,
    shared: refuse,
    later: (promise, put) => void later.push(Promise.resolve(promise).then(put)),
    ...link,
  };
  return { context, values, withdrawn, later };
};

/** The body of a value. */
export const encode = (
  value: unknown,
  context: EncodeContext = contextOf().context,
  path = 'value',
): Buffer => {
  const outbox = new Outbox();
  encodeBody(outbox, value, context, path);
  return Buffer.from(outbox.bytes.subarray(0, outbox.length));
};

/** The value of a body, which lies not at the beginning of the receiver's memory, and is overwritten afterwards. */
export const decode = (body: Buffer, context: DecodeContext = contextOf().context): unknown => {
  const memory = Buffer.concat([Buffer.alloc(13, 0xff), body, Buffer.alloc(13, 0xff)]);
  const back = decodeBody(memory, 13, 13 + body.length, context);
  memory.fill(0);
  return back;
};

/** There and back. */
export const roundTrip = <T>(value: T, context = contextOf().context): T =>
  decode(encode(value, context), context) as T;

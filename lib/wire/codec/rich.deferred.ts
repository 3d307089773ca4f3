import type { Buffer } from 'node:buffer';
import type { Outbox } from '../frame/outbox.ts';
import type { DecodeContext, EncodeContext } from './context.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

/** Appends a value that JSON can't hold; throws what `Encoder.write` throws. */
export const writeRich = (outbox: Outbox, value: unknown, context: EncodeContext, path: string): void =>
  new Encoder(context, path).write(value, outbox);

/** Reads one; throws what `Decoder.value` throws. */
export const readRich = (bytes: Buffer, start: number, end: number, context: DecodeContext): unknown =>
  new Decoder(bytes, start, end, context).value();

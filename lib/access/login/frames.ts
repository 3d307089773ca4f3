import type { Duplex } from 'node:stream';
import { ProtocolError } from '../../wire/errors.ts';

/** What the messages of a login are; each has a size that is known before it is read. */
export const KINDS = { start: 1, response: 2, finish: 3, welcome: 4, wrong: 5, later: 6 } as const;

/** A message's kind. */
export type Kind = keyof typeof KINDS;

/** The largest body of a message, in bytes. */
export const LARGEST_BODY = 512;

/** Writes a message: a kind, the body's size in two bytes, the body. */
export const writeFrame = (stream: Duplex, kind: Kind, ...parts: readonly Uint8Array[]): void => {
  const body = Buffer.concat(parts);
  const head = Buffer.from([KINDS[kind], body.length >> 8, body.length & 0xff]);
  stream.write(Buffer.concat([head, body]));
};

const broken = (what: string): ProtocolError => new ProtocolError(`The login was broken off: ${what}.`);

/** Reads so many bytes; rejects with what ended the stream before. */
const readExactly = (stream: Duplex, size: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const settle = () => {
      stream.off('readable', look).off('end', ended).off('close', ended).off('error', failed);
    };
    const look = () => {
      const chunk = stream.read(size) as Buffer | null;
      if (chunk === null) return;
      settle();
      // At its end a stream gives what is left.
      if (chunk.length === size) resolve(chunk);
      else reject(broken('a message was not whole'));
    };
    const failed = (cause: Error) => {
      settle();
      reject(cause);
    };
    const ended = () => failed(broken('the other side hung up'));
    stream.on('readable', look).on('end', ended).on('close', ended).on('error', failed);
    if (stream.destroyed || stream.readableEnded) ended();
    else look();
  });

/** Reads one message of one of some kinds. Rejects with ProtocolError for anything else, or with what ended the stream. */
export const readFrame = async <K extends Kind>(
  stream: Duplex,
  ...expected: readonly K[]
): Promise<{ readonly kind: K; readonly body: Buffer }> => {
  const head = await readExactly(stream, 3);
  const kind = expected.find((one) => KINDS[one] === head[0]);
  const size = head.readUInt16BE(1);
  if (kind === undefined || size > LARGEST_BODY) throw broken('this is not the message that is due');
  return { kind, body: size === 0 ? Buffer.alloc(0) : await readExactly(stream, size) };
};

import { dialDoor, URL_OF_DOORS } from '../../cluster/direct/dial.ts';
import { DialError } from '../../cluster/direct/errors.ts';
import { refusedTicket } from '../../ticket/errors.ts';
import type { JoinTicket } from '../../ticket/join-ticket.ts';
import { TimeoutError } from '../../wire/errors.ts';
import { MAX_FRAME } from '../../wire/frame/frame.ts';
import { type ClosableSocket, openWebSocket } from '../../wire/link/websocket.ts';
import { roomFor } from '../../wire/link/websocket-link.ts';
import { Channel } from './channel.ts';
import type { Ends } from './cut-off.ts';
import { unknownTicket } from './errors.ts';
import type { Hello } from './messages.ts';

/** How long a program may take to let a site in, in milliseconds: it may be busy. */
const DIAL_WITHIN = 30_000;

/** How a program is dialled whose cluster is to be joined. */
export interface DialInOptions {
  /** How long it may take, in milliseconds. @default 30 s */
  readonly timeout?: number;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** A program that has let this site in, and the connection's two ends. */
export interface LetIn {
  readonly channel: Channel<'program'>;
  readonly ends: Ends;
}

/**
 * Goes to the program that gave a ticket out, and says who wants to join. Rejects with TicketError if the ticket is
 * refused, with DialError if the program can't be reached, or with the signal's reason.
 */
export const dialIn = async (
  ticket: JoinTicket,
  hello: Hello,
  { timeout = DIAL_WITHIN, signal }: DialInOptions = {},
): Promise<LetIn> => {
  const { host, port, id, key, name } = ticket;
  const reach = { cluster: id, key: Buffer.from(key, 'base64url'), name, timeout, ...(signal && { signal }) };
  const maxPayload = roomFor(MAX_FRAME);
  const socket = await dialDoor({ host, port }, reach, (open) =>
    openWebSocket(URL_OF_DOORS, { maxPayload, ...open }),
  ).catch((cause: unknown) => {
    throw cause instanceof DialError && cause.reason === 'key' ? unknownTicket(ticket, cause) : cause;
  });
  const { _socket: ends } = socket as unknown as { _socket: Ends & { ref(): void } };
  // From here on this process lives for the connection.
  ends.ref();
  const channel = new Channel<'program'>(socket as ClosableSocket);
  await new Promise<void>((resolve, reject) => {
    const abort = () => giveUp(signal!.reason as Error);
    const late = setTimeout(() => {
      giveUp(
        new TimeoutError(`${name} did not say within ${timeout} ms whether the ticket is good.`, timeout),
      );
    }, timeout);
    const settle = () => {
      clearTimeout(late);
      signal?.removeEventListener('abort', abort);
    };
    const giveUp = (cause: Error) => {
      settle();
      reject(cause);
      channel.drop();
    };
    signal?.addEventListener('abort', abort, { once: true });
    void channel.closed.then((cause) => {
      const what = `${name} hung up before it had said whether the ticket is good. Try again.`;
      giveUp(new DialError('refused', { host, port }, what, cause && { cause }));
    });
    channel.listen((message) => {
      if ('refused' in message) return giveUp(refusedTicket(message.refused, name));
      if (!('welcome' in message)) return channel.drop();
      settle();
      resolve();
    });
    channel.say({ hello });
  });
  return { channel, ends };
};

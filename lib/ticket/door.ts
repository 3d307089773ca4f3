import { Buffer } from 'node:buffer';
import { chmodSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { whenAborted } from '../wire/call/when-aborted.ts';
import { TimeoutError } from '../wire/errors.ts';
import { refusedTicket, type TicketReason } from './errors.ts';
import { isPrivateFolder } from './folder.ts';
import { hearLastWords } from './last-words.ts';
import { ID_SIZE, KEY_SIZE, type Ticket } from './ticket.ts';

/** What a guest says first: this word, what he wants, the id and the key. Nothing else is read before they are right. */
const WORD = Buffer.from('offsite');
/** What a guest may want. */
export const Want = { attach: 0x61, close: 0x63 } as const;
/** One of them. */
export type Want = (typeof Want)[keyof typeof Want];

const ID_AT = WORD.length + 1;
const KEY_AT = ID_AT + ID_SIZE;
/** How many bytes a guest says first. */
export const KNOCK_SIZE = KEY_AT + KEY_SIZE;

/** The one byte with which a door answers. */
const ANSWERS: readonly (TicketReason | 'ok')[] = ['ok', 'forged', 'used', 'expired', 'gone', 'malformed'];

/** How long a guest may take to say it, in milliseconds: it is one write. */
const KNOCK_WITHIN = 5_000;
/** How many guests may stand at the door at once; more are sent away. */
const MOST_WAITING = 32;
/** How many guests the operating system keeps while this thread is busy. */
const BACKLOG = 64;

/** What a door asks its owner. */
export interface Porter<T> {
  /** What a key opens, or why it opens nothing. */
  open(id: string, key: Uint8Array): { readonly value: T } | TicketReason;
  /** A guest has come in; the socket is the owner's from now on. */
  welcome(socket: Socket, value: T, want: Want): void;
}

/** A socket in a private folder on which guests come in who have a key. */
export class Door<T> {
  readonly path: string;
  readonly #porter: Porter<T>;
  readonly #server: Server;
  readonly #waiting = new Set<Socket>();
  readonly #within: number;

  /** `within` is how long a guest may take to show his key, in milliseconds. */
  constructor(path: string, porter: Porter<T>, within = KNOCK_WITHIN) {
    this.path = path;
    this.#porter = porter;
    this.#within = within;
    this.#server = createServer((socket) => this.#meet(socket));
  }

  /** Begins to listen; rejects with what the operating system says. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ path: this.path, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        // Out of descriptors, for instance: the next guest may be luckier.
        this.#server.on('error', () => {});
        resolve();
      });
    });
    chmodSync(this.path, 0o600);
  }

  /** Lets the process end although somebody could come. */
  unref(): void {
    this.#server.unref();
  }

  /** Sends away who waits, and lets nobody in any more; who is in stays. The socket's file goes. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #meet(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#waiting.size >= MOST_WAITING) {
      socket.destroy();
      return;
    }
    this.#waiting.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#within);
    timer.unref();
    let said = Buffer.alloc(0);
    const leave = () => {
      clearTimeout(timer);
      this.#waiting.delete(socket);
    };
    const onData = (chunk: Buffer) => {
      const word = WORD.length;
      // No more of what a stranger says is kept than is asked for.
      said = Buffer.concat([said, chunk.subarray(0, KNOCK_SIZE + 1 - said.length)]);
      const known = said.subarray(0, word).equals(WORD.subarray(0, Math.min(word, said.length)));
      if (known && said.length < KNOCK_SIZE) return;
      socket.off('data', onData).off('close', leave);
      leave();
      this.#answer(socket, known && said.length === KNOCK_SIZE ? said : undefined);
    };
    socket.on('data', onData).on('close', leave);
  }

  #answer(socket: Socket, said: Buffer | undefined): void {
    const want = said?.[WORD.length];
    const verdict =
      said && (want === Want.attach || want === Want.close)
        ? this.#porter.open(said.toString('base64url', ID_AT, KEY_AT), said.subarray(KEY_AT))
        : 'malformed';
    if (typeof verdict === 'string') {
      socket.end(Buffer.of(ANSWERS.indexOf(verdict)), () => socket.destroy());
      return;
    }
    // Paused, so that nothing is lost until its owner reads.
    socket.pause();
    socket.write(Buffer.of(0));
    this.#porter.welcome(socket, verdict.value, want as Want);
  }
}

/** How a guest knocks. */
export interface KnockOptions {
  /** @default attach */
  want?: Want;
  /** How long the door may take, in milliseconds. */
  timeout: number;
  signal?: AbortSignal | undefined;
}

/** How long a guest waits who was sent away unheard, in milliseconds; chance adds as much, so that a crowd disperses. */
const AGAIN_AFTER = 20;
/** What the operating system says when more stand at a door than it keeps, or when one was sent away. */
const CROWDED: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'ECONNRESET', 'EPIPE']);

/** Knocks once; resolves to the answer and the socket, or to nothing if nobody listened to him. */
const knockOnce = (path: string, said: Buffer, signal: AbortSignal): Promise<[number, Socket] | undefined> =>
  new Promise((resolve, reject) => {
    const socket = hearLastWords(connect({ path }));
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    const settle = (work: () => void) => {
      signal.removeEventListener('abort', abort);
      work();
    };
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      settle(() => (CROWDED.has(cause.code) ? resolve(undefined) : reject(cause))),
    );
    socket.on('close', () => settle(() => resolve(undefined)));
    socket.once('connect', () => socket.write(said));
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      if (chunk.length > 1) socket.unshift(chunk.subarray(1));
      settle(() => resolve([chunk[0]!, socket]));
    });
  });

/**
 * Goes to the door that a ticket leads to; resolves to a paused socket to the site behind it. Who is sent away because
 * of a crowd comes again. Rejects with TicketError, FolderError, TimeoutError or the signal's reason.
 */
export const knock = async (
  { folder, id, key, name }: Pick<Ticket, 'folder' | 'id' | 'key' | 'name'>,
  path: string,
  { want = Want.attach, timeout, signal }: KnockOptions,
): Promise<Socket> => {
  signal?.throwIfAborted();
  // Whoever made a folder in its place would be given the key.
  if (!isPrivateFolder(folder) || dirname(path) !== folder) throw refusedTicket('gone', name);
  const said = Buffer.concat([
    WORD,
    Buffer.of(want),
    Buffer.from(id, 'base64url'),
    Buffer.from(key, 'base64url'),
  ]);
  const giveUp = new AbortController();
  const late = setTimeout(() => {
    const what = `${name} did not let anybody in within ${timeout} ms; it may be busy. Try again, with a longer timeout.`;
    giveUp.abort(new TimeoutError(what, timeout));
  }, timeout);
  const unlisten = signal && whenAborted(signal, () => giveUp.abort(signal.reason));
  try {
    for (;;) {
      const come = await knockOnce(path, said, giveUp.signal).catch((cause) => {
        if (giveUp.signal.aborted) throw cause;
        throw refusedTicket('gone', name, cause);
      });
      if (come) {
        const [answer, socket] = come;
        const verdict = ANSWERS[answer] ?? 'malformed';
        if (verdict === 'ok') return socket;
        socket.destroy();
        throw refusedTicket(verdict, name);
      }
      await delay(AGAIN_AFTER * (1 + Math.random()), undefined, { signal: giveUp.signal }).catch(() => {
        throw giveUp.signal.reason;
      });
      // It may have been in the middle of its end.
      if (!isPrivateFolder(folder)) throw refusedTicket('gone', name);
    }
  } finally {
    clearTimeout(late);
    unlisten?.();
  }
};

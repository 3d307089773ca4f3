import { ProtocolError, UnserializableError } from '../../../lib/wire/errors.ts';
import type { StreamPort } from '../../../lib/wire/stream/port.ts';
import { Streams } from '../../../lib/wire/stream/streams.ts';

/** The frames that streams need. */
export type FrameKind = 'chunk' | 'end' | 'fail' | 'credit' | 'stop';

/** One frame as it went over the wire; `value` is an item, a cause or a number of bytes. */
export interface Frame {
  readonly kind: FrameKind;
  readonly id: number;
  readonly home: boolean;
  readonly value: unknown;
  readonly bytes: number;
}

/** What an item takes on the wire: a Uint8Array its length, everything else that many bytes. */
export const ITEM = 100;

/** What every symbol stands for here: it can't be sent. */
const refuse = (value: unknown): void => {
  if (typeof value === 'symbol') throw new UnserializableError('An item is a symbol.', 'item');
};

const sizeOf = (value: unknown): number => (value instanceof Uint8Array ? value.byteLength : ITEM);

/** One site's end: its streams, and what it sent. Frames are handed over in a microtask, in their order. */
export class Site implements StreamPort {
  readonly streams: Streams;
  peer!: Site;
  readonly sent: Record<FrameKind, number> = { chunk: 0, end: 0, fail: 0, credit: 0, stop: 0 };
  /** Why this side closed the link. */
  violation: unknown;
  /** The bytes of items that were sent and have not been handed over. */
  underWay: Frame[] = [];
  #lastId = 0;
  #held = false;
  #scheduled = false;
  #gone = false;

  constructor(limit = 1_000) {
    this.streams = new Streams(this, { streams: limit });
  }

  nextId(): number {
    return --this.#lastId;
  }

  chunk(id: number, home: boolean, value: unknown): number {
    refuse(value);
    const bytes = sizeOf(value);
    this.send({ kind: 'chunk', id, home, value, bytes });
    return bytes;
  }

  end(id: number, home: boolean, value: unknown): void {
    refuse(value);
    this.send({ kind: 'end', id, home, value, bytes: 0 });
  }

  fail(id: number, home: boolean, value: unknown): void {
    refuse(value);
    this.send({ kind: 'fail', id, home, value, bytes: 0 });
  }

  credit(id: number, home: boolean, value: number): void {
    this.send({ kind: 'credit', id, home, value, bytes: 0 });
  }

  /** How many of this site's users wait for the other one. */
  waiting = 0;

  waits(more: number): void {
    this.waiting += more;
  }

  stop(id: number, home: boolean, value: unknown): void {
    refuse(value);
    this.send({ kind: 'stop', id, home, value, bytes: 0 });
  }

  /** Sends a frame, which a spec may make up. */
  send(frame: Frame): void {
    if (this.#gone) return;
    this.sent[frame.kind]++;
    this.underWay.push(frame);
    this.#schedule();
  }

  /** Keeps back from now on what this side sends. */
  hold(): void {
    this.#held = true;
  }

  /** Hands over what was kept back. */
  letGo(): void {
    this.#held = false;
    this.#schedule();
  }

  /** This side learns that the link is gone: what was under way to it is lost, and it sends nothing more. */
  lose(error: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    this.peer.underWay = [];
    this.streams.end(() => error);
  }

  #schedule(): void {
    if (this.#held || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      // What is sent meanwhile goes with the next microtask.
      const frames = this.underWay;
      this.underWay = [];
      for (const frame of frames) this.peer.#receive(frame);
    });
  }

  #receive({ kind, id, home, value, bytes }: Frame): void {
    if (this.#gone) return;
    const { streams } = this;
    try {
      if (kind === 'chunk') streams.onChunk(id, home, value, bytes);
      else if (kind === 'end') streams.onEnd(id, home, value);
      else if (kind === 'fail') streams.onFail(id, home, value);
      else if (kind === 'credit') streams.onCredit(id, home, value as number);
      else streams.onStop(id, home, value);
    } catch (cause) {
      // As a session does: it destroys the link, and both sides learn of it.
      this.violation = cause;
      if (!(cause instanceof ProtocolError)) throw cause;
      this.lose(cause);
      this.peer.lose(cause);
    }
  }
}

/** Two sites: `near` is where streams are used, `far` where they come from. */
export const wire = (limits: { near?: number; far?: number } = {}) => {
  const near = new Site(limits.near);
  const far = new Site(limits.far);
  [near.peer, far.peer] = [far, near];
  /** Gives a stream of `far` to `near`. */
  const give = <T extends object>(value: T): T => {
    const { kind, id } = far.streams.exportValue(value);
    return near.streams.importValue(kind, id) as T;
  };
  /** Both sides lose the link. */
  const cut = (error: unknown = new Error('The site died.')) => {
    near.lose(error);
    far.lose(error);
  };
  return { near, far, give, cut };
};

/** How many streams both sides hold. */
export const open = ({ near, far }: { near: Site; far: Site }): [number, number] => [
  near.streams.size,
  far.streams.size,
];

/** A source whose items a spec gives out itself, and which notes what is done to it. */
export class Tap implements AsyncIterator<unknown, unknown, undefined> {
  asked = 0;
  readonly returned: unknown[] = [];
  readonly thrown: unknown[] = [];
  readonly #waiting: PromiseWithResolversOf<IteratorResult<unknown, unknown>>[] = [];

  next(): Promise<IteratorResult<unknown, unknown>> {
    this.asked++;
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.returned.push(value);
    return Promise.resolve({ value, done: true });
  }

  throw(cause: unknown): Promise<IteratorResult<unknown, unknown>> {
    this.thrown.push(cause);
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Answers the `next` that waits longest. */
  give(value: unknown): void {
    this.#waiting.shift()!.resolve({ value, done: false });
  }

  /** Ends, as the answer to that. */
  finish(value?: unknown): void {
    this.#waiting.shift()!.resolve({ value, done: true });
  }

  /** Fails, as the answer to that. */
  fail(cause: unknown): void {
    this.#waiting.shift()!.reject(cause);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

interface PromiseWithResolversOf<T> {
  resolve(value: T): void;
  reject(cause: unknown): void;
}

/** Numbers from 0 on, `count` of them; `state` tells how many were made and whether it was left. */
export const counting = (count: number) => {
  const state = { made: 0, left: false };
  const numbers = async function* () {
    try {
      while (state.made < count) yield state.made++;
      return 'counted';
    } finally {
      state.left = true;
    }
  };
  return { state, numbers: numbers() };
};

/** Reads to the end. */
export const gather = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

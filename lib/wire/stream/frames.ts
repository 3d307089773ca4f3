import type { Buffer } from 'node:buffer';
import { Lanes } from '../call/lanes.ts';
import { ProtocolError } from '../errors.ts';
import { FLAGS_AT, HEADER, HOME, Kind } from '../frame/frame.ts';
import { doubleAt } from '../frame/numbers.ts';
import type { Sender } from '../frame/sender.ts';
import type { LiveValues } from '../live-values.ts';
import type { ProcessHold } from '../process-hold.ts';
import { costOf, WINDOW } from './credit.ts';
import type { StreamPort } from './port.ts';

/** A producer says once that it is done, and may say afterwards that it failed. */
const MOST_ENDS = 2;

interface Waiting {
  items: number;
  ends: number;
}

const flagsOf = (home: boolean): number => (home ? HOME : 0);

/** Writes what streams have to say into a session's frames. */
export const streamPort = (
  sender: Sender,
  nextId: () => number,
  live: LiveValues,
  hold: ProcessHold,
): StreamPort => ({
  nextId,
  waits: (more) => hold.waits(more),
  chunk(id, home, value) {
    const size = sender.value(Kind.chunk, flagsOf(home), id, value, live, 'item');
    sender.flushSoon();
    return size + live.carrier.bytes;
  },
  end(id, home, value) {
    sender.value(Kind.end, flagsOf(home), id, value, live, 'result');
    sender.flushSoon();
  },
  fail(id, home, cause) {
    sender.reason(Kind.fail, flagsOf(home), id, cause, live);
  },
  credit(id, home, bytes) {
    sender.number(Kind.credit, flagsOf(home), id, bytes);
  },
  stop(id, home, cause) {
    sender.reason(Kind.stop, flagsOf(home), id, cause, live);
  },
});

/** Reads the frames of streams and hands them over in order, also when an item is still coming in parts. */
export class StreamFrames {
  readonly #live: LiveValues;
  readonly #peer: string;
  readonly #broken: (cause: Error) => void;
  readonly #lanes = new Lanes();
  /** What waits in each lane: items as credit counts them, and how many words on the end. */
  readonly #waiting = new Map<number, Waiting>();

  /** `peer` names the other side in errors; `broken` is told of what breaks the protocol, if it shows only later. */
  constructor(live: LiveValues, peer: string, broken: (cause: Error) => void) {
    this.#broken = broken;
    this.#live = live;
    this.#peer = peer;
  }

  /** Takes the frame that lies in `bytes` from `at` to `end`; throws ProtocolError. */
  receive(bytes: Buffer, at: number, id: number, end: number): void {
    const { streams } = this.#live;
    const home = (bytes[at + FLAGS_AT]! & HOME) !== 0;
    const body = at + HEADER + 8;
    switch (bytes[at + 4]) {
      case Kind.credit:
        return streams.onCredit(id, home, doubleAt(bytes, body, end));
      case Kind.stop:
        return streams.onStop(id, home, this.#live.readReason(bytes, body, end, this.#peer));
      case Kind.chunk:
        return this.#onChunk(bytes, at, id, home, end);
      default:
        return this.#onFinish(bytes, at, id, home, end);
    }
  }

  #onFinish(bytes: Buffer, at: number, id: number, home: boolean, end: number): void {
    const { streams } = this.#live;
    if (bytes[at + 4] === Kind.end) {
      return this.#onValue(bytes, at, id, home, end, (value) => streams.onEnd(id, home, value));
    }
    const cause = this.#live.readReason(bytes, at + HEADER + 8, end, this.#peer);
    this.#inOrder(id, home, 0, undefined, () => streams.onFail(id, home, cause));
  }

  #onChunk(bytes: Buffer, at: number, id: number, home: boolean, end: number): void {
    const { streams } = this.#live;
    this.#onValue(bytes, at, id, home, end, (value, size) => streams.onChunk(id, home, value, size));
  }

  /** Hands over what a frame holds when it is whole, behind what came before it. */
  #onValue(
    bytes: Buffer,
    at: number,
    id: number,
    home: boolean,
    end: number,
    hand: (value: unknown, size: number) => void,
  ): void {
    const fail = (cause: unknown) => this.#live.streams.onFail(id, home, cause);
    const isItem = bytes[at + 4] === Kind.chunk;
    let value: unknown;
    try {
      value = this.#live.read(bytes, at + HEADER + 8, end);
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      return this.#inOrder(id, home, isItem ? end - at : 0, undefined, () => fail(cause));
    }
    const size = end - at + this.#live.carrier.bytes;
    const pending = this.#live.takePending();
    this.#inOrder(
      id,
      home,
      isItem ? size : 0,
      pending,
      () => hand(value, size),
      (cause) => {
        if (cause instanceof ProtocolError) throw cause;
        fail(cause);
      },
    );
  }

  /**
   * Counts what waits behind an item that is not whole, because the stream's credit is looked at only when an item is
   * handed over; throws ProtocolError for what there can't have been credit for. `size` is 0 for a word on the end.
   */
  #enter(lane: number, size: number): () => void {
    const waiting = this.#waiting.get(lane) ?? { items: 0, ends: 0 };
    if (size > 0 ? waiting.items >= WINDOW : waiting.ends >= MOST_ENDS) {
      throw new ProtocolError(
        'The peer sent more of a stream than may wait behind an item that is not whole.',
      );
    }
    const cost = size > 0 ? costOf(size) : 0;
    const end = size > 0 ? 0 : 1;
    waiting.items += cost;
    waiting.ends += end;
    this.#waiting.set(lane, waiting);
    return () => {
      waiting.items -= cost;
      waiting.ends -= end;
      if (waiting.items === 0 && waiting.ends === 0) this.#waiting.delete(lane);
    };
  }

  #inOrder(
    id: number,
    home: boolean,
    size: number,
    pending: Promise<unknown> | undefined,
    hand: () => void,
    failed: (cause: unknown) => void = (cause) => {
      throw cause;
    },
  ): void {
    // Ids of ours and of the peer's are both negative.
    const lane = home ? id : -id;
    if (!pending && !this.#lanes.has(lane)) return hand();
    const leave = this.#enter(lane, size);
    this.#lanes
      .after(lane, pending, undefined, hand)
      .catch(failed)
      .finally(leave)
      .catch((cause: Error) => this.#broken(cause));
  }
}

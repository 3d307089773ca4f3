import type { Buffer } from 'node:buffer';
import { Lanes } from '../call/lanes.ts';
import { ProtocolError } from '../errors.ts';
import { FLAGS_AT, HEADER, HOME, Kind } from '../frame/frame.ts';
import type { Sender } from '../frame/sender.ts';
import type { LiveValues } from '../live-values.ts';
import type { ProcessHold } from '../process-hold.ts';
import type { StreamPort } from './port.ts';

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
    return size + live.carriedBytes;
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
        return streams.onCredit(id, home, bytes.readDoubleLE(body));
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
    this.#inOrder(id, home, undefined, () => streams.onFail(id, home, cause));
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
    let value: unknown;
    try {
      value = this.#live.read(bytes, at + HEADER + 8, end);
    } catch (cause) {
      if (cause instanceof ProtocolError) throw cause;
      return this.#inOrder(id, home, undefined, () => fail(cause));
    }
    const size = end - at + this.#live.carriedBytes;
    const pending = this.#live.takePending();
    this.#inOrder(
      id,
      home,
      pending,
      () => hand(value, size),
      (cause) => {
        if (cause instanceof ProtocolError) throw cause;
        fail(cause);
      },
    );
  }

  #inOrder(
    id: number,
    home: boolean,
    pending: Promise<unknown> | undefined,
    hand: () => void,
    failed: (cause: unknown) => void = (cause) => {
      throw cause;
    },
  ): void {
    // Ids of ours and of the peer's are both negative.
    const lane = home ? id : -id;
    if (!pending && !this.#lanes.has(lane)) return hand();
    this.#lanes
      .after(lane, pending, undefined, hand)
      .catch(failed)
      .catch((cause: Error) => this.#broken(cause));
  }
}

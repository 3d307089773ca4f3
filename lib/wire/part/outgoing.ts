import { detach } from '../codec/transfer.ts';
import { CUT, Kind } from '../frame/frame.ts';
import type { Sender } from '../frame/sender.ts';
import { Snapshot } from './snapshot.ts';

/** Bytes of a part. A ring takes it without a detour, and a pipe in two gulps. */
const PART = 64 * 1024 - 16;
/** Parts of one turn of the event loop, in bytes: everything else that has to be sent goes between the turns. */
const TURN = 256 * 1024;
/**
 * What is at most so large is copied when the message is written, as structured clone does. Copying more would keep the
 * loop for longer than a ping may wait, so that is read while it leaves.
 */
export const SNAPSHOT = 64 * 1024 * 1024;

/** Bytes that are read while they leave. */
class Original {
  #bytes: Uint8Array;
  /** How large they were when their message was written; memory that was moved away since has shrunk to nothing. */
  readonly size: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
  }

  part(start: number, most: number): Uint8Array | undefined {
    if (this.#bytes.byteLength !== this.size) return undefined;
    return this.#bytes.subarray(start, Math.min(start + most, this.size));
  }

  /** Takes the memory away from its owner. */
  take(): void {
    this.#bytes = new Uint8Array(detach(this.#bytes.buffer as ArrayBuffer));
  }

  left(): void {}
}

interface Blob {
  readonly id: number;
  readonly source: Original | Snapshot;
  offset: number;
}

/** Sends what is too large for a frame in parts, those of all messages in turns, behind everything else. */
export class Outgoing {
  readonly #sender: Sender;
  #blobs: Blob[] = [];
  #last = 0;
  #pumping = false;
  #ended = false;

  constructor(sender: Sender) {
    this.#sender = sender;
  }

  /**
   * Will send bytes; returns the number under which the receiver finds them. `copied` says that they are to be sent as they
   * are now; else nobody may write to them until they have left.
   */
  send(bytes: Uint8Array, copied: boolean): number {
    const id = --this.#last;
    this.#blobs.push({ id, source: copied ? new Snapshot(bytes) : new Original(bytes), offset: 0 });
    this.#continue();
    return id;
  }

  /**
   * Takes the memory of what was begun under a number away from its owner, who gave it up with `transfer`; throws what
   * `structuredClone` throws if it can't move.
   */
  take(id: number): void {
    this.#blobs.find((blob) => blob.id === id)?.source.take();
  }

  /** Sends all at once, because this thread will do nothing else until it is answered. */
  sendAll(): void {
    while (this.#blobs.length > 0) this.#sendPart();
  }

  /** Sends no more of what was begun under a number, because its message was never sent or is not wanted any more. */
  cut(id: number): void {
    const at = this.#blobs.findIndex((blob) => blob.id === id);
    if (at < 0) return;
    const [blob] = this.#blobs.splice(at, 1);
    if (blob!.offset > 0) this.#sender.flagged(Kind.part, CUT, id);
  }

  /** Sends nothing any more. */
  end(): void {
    this.#ended = true;
    this.#blobs = [];
  }

  #continue(): void {
    if (this.#pumping || this.#ended || this.#blobs.length === 0) return;
    this.#pumping = true;
    // A turn later, so that the message itself has left; congestion is looked at then.
    setImmediate(this.#pump);
  }

  readonly #pump = (): void => {
    this.#pumping = false;
    if (this.#ended) return;
    const drained = this.#sender.drained();
    if (drained) {
      this.#pumping = true;
      void drained.then(this.#pump);
      return;
    }
    for (let room = TURN; room > 0 && this.#blobs.length > 0; room -= PART) this.#sendPart();
    this.#continue();
  };

  #sendPart(): void {
    const blob = this.#blobs.shift()!;
    const { id, source, offset } = blob;
    const bytes = source.part(offset, PART);
    if (!bytes) {
      // Whoever owns the memory has moved it away although the message was still being sent.
      this.#sender.flagged(Kind.part, CUT, id);
      return;
    }
    const end = offset + bytes.length;
    this.#sender.part(id, bytes, () => source.left(end));
    blob.offset = end;
    if (end < source.size) this.#blobs.push(blob);
  }
}

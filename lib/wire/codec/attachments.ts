import { Buffer } from 'node:buffer';
import { moving } from '../shared.ts';
import type { EncodeContext } from './context.ts';
import type { Place } from './graph.ts';

/** Bytes that were met in a value, and the node that stands for them. */
interface Met {
  readonly node: unknown[];
  readonly value: ArrayBufferLike | ArrayBufferView;
  /** The number of the memory, if it is shared. */
  readonly shared: number | undefined;
}

/** Memory that is sent once, and all that lies in it. */
interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly met: Met[];
  readonly moves: boolean;
}

/** What was made of the bytes of a value. */
export interface Settled {
  readonly places: Place[];
  /** What lies in the frame, in its order. */
  readonly inFrame: Uint8Array[];
  /** What was copied into the frame although it moves, and is to be emptied. */
  readonly copied: ArrayBuffer[];
}

const bufferOf = (value: ArrayBufferLike | ArrayBufferView): ArrayBufferLike =>
  ArrayBuffer.isView(value) ? value.buffer : value;

/** Gathers the bytes of a value, and decides in the end which of them share their memory. */
export class Attachments {
  readonly #met: Met[] = [];

  get length(): number {
    return this.#met.length;
  }

  add(met: Met): void {
    this.#met.push(met);
  }

  /** Forgets all that was met after the first `length`. */
  truncate(length: number): void {
    this.#met.length = length;
  }

  /** Writes into the nodes where their bytes are; nothing may fail any more, because bytes may leave here. */
  settle(context: EncodeContext): Settled {
    const settled: Settled = { places: [], inFrame: [], copied: [] };
    for (const memory of this.#memories()) this.#place(memory, settled, context);
    return settled;
  }

  #memories(): Memory[] {
    const memories: Memory[] = [];
    const known = new Map<ArrayBufferLike, Memory>();
    for (const met of this.#met) {
      const buffer = bufferOf(met.value);
      const moves = moving.has(buffer);
      // A Buffer's memory holds what belongs to others, so it is alone with its own part, unless all of it moves.
      const alone = Buffer.isBuffer(met.value) && !moves && met.shared === undefined;
      const memory = alone ? undefined : known.get(buffer);
      if (memory) {
        memory.met.push(met);
      } else {
        const made = { buffer, met: [met], moves };
        memories.push(made);
        if (!alone) known.set(buffer, made);
      }
    }
    return memories;
  }

  #place({ buffer, met, moves }: Memory, { places, inFrame, copied }: Settled, context: EncodeContext): void {
    const [first] = met as [Met];
    const index = places.length;
    const whole = first.shared !== undefined || moves || met.length > 1 || !ArrayBuffer.isView(first.value);
    for (const { node, value } of met) {
      node[2] = index;
      if (ArrayBuffer.isView(value)) node[3] = whole ? value.byteOffset : 0;
    }
    if (first.shared !== undefined) {
      places.push([first.shared]);
      return;
    }
    const view = first.value as ArrayBufferView;
    const bytes = whole ? new Uint8Array(buffer) : new Uint8Array(buffer, view.byteOffset, view.byteLength);
    const size = bytes.byteLength;
    const number = context.carry(bytes, moves);
    if (number !== undefined) {
      moving.delete(buffer);
      places.push([number, size]);
      return;
    }
    places.push(bytes.byteLength);
    inFrame.push(bytes);
    if (moves) copied.push(buffer as ArrayBuffer);
  }
}

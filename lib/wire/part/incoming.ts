import type { Buffer } from 'node:buffer';
import { ProtocolError, UndecodableError } from '../errors.ts';
import { passed } from '../limits.ts';

/** What an announcement counts for at least, because what is kept for it takes memory too. */
const LEAST = 64 * 1024;
/** So many messages of the largest size may come at once. */
const AT_ONCE = 16;

const costOf = (size: number): number => Math.max(size, LEAST);

interface Arriving {
  /** `undefined` once nobody waits for it any more. */
  readonly bytes: Uint8Array;
  have: number;
  readonly promise: Promise<void>;
  resolve(): void;
  reject(cause: Error): void;
}

/** Puts what comes in parts together again, in the memory in which the user will find it. */
export class Incoming {
  readonly #arriving = new Map<number, Arriving>();
  readonly #bound: () => number;
  /** Bytes that were announced and have not all come. */
  #announced = 0;

  /** `bound` gives how many bytes one message may have. */
  constructor(bound: () => number) {
    this.#bound = bound;
  }

  /** Whether parts of a message are still to come. */
  awaits(id: number): boolean {
    return this.#arriving.has(id);
  }

  /** Memory for what comes in parts under a number, and when it will be whole; throws LimitError, ProtocolError. */
  expect(id: number, size: number): { memory: ArrayBuffer; whole: Promise<void> } {
    if (this.#arriving.has(id)) throw new ProtocolError(`The peer announced the parts of ${id} twice.`);
    const announced = this.#announced + costOf(size);
    if (size > 0 && announced > this.#bound() * AT_ONCE) {
      throw passed(
        'messageSize',
        this.#bound(),
        `${announced} bytes of several messages were announced at once`,
      );
    }
    const memory = new ArrayBuffer(size);
    if (size === 0) return { memory, whole: Promise.resolve() };
    let resolve!: () => void;
    let reject!: (cause: Error) => void;
    const promise = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // Whoever needs it looks at it; a message that could not be read needs it no more.
    promise.catch(() => {});
    this.#announced = announced;
    this.#arriving.set(id, { bytes: new Uint8Array(memory), have: 0, promise, resolve, reject });
    return { memory, whole: promise };
  }

  /** A part has come. Those of a message that could not be read are nobody's. Throws ProtocolError. */
  onPart(id: number, bytes: Buffer, start: number, end: number): void {
    const arriving = this.#arriving.get(id);
    if (!arriving) return;
    const size = end - start;
    if (arriving.have + size > arriving.bytes.length) {
      throw new ProtocolError(
        `The peer sent more of ${id} than the ${arriving.bytes.length} bytes it announced.`,
      );
    }
    // A view, because `copy` of a Buffer is the same and checks more.
    arriving.bytes.set(bytes.subarray(start, end), arriving.have);
    arriving.have += size;
    if (arriving.have < arriving.bytes.length) return;
    this.#forget(id, arriving);
    arriving.resolve();
  }

  /** The rest of it will not come. */
  onCut(id: number): void {
    const arriving = this.#arriving.get(id);
    if (!arriving) return;
    this.#forget(id, arriving);
    arriving.reject(
      new UndecodableError(
        'A large message was cut off by its sender, which gave it up or moved its memory away; what is more than 64 MiB must not change until it was answered.',
      ),
    );
  }

  /** Nothing more will come. */
  end(cause: Error): void {
    for (const arriving of this.#arriving.values()) arriving.reject(cause);
    this.#arriving.clear();
    this.#announced = 0;
  }

  #forget(id: number, arriving: Arriving): void {
    this.#arriving.delete(id);
    this.#announced -= costOf(arriving.bytes.length);
  }
}

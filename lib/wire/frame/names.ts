import type { Buffer } from 'node:buffer';

/** A power of two; two names that fall on one place push each other out. */
const PLACES = 128;
/** Longer names are rare, and not kept. */
const LONGEST = 32;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Turns the bytes of names into text. The same few come with every call, so the last ones are kept. */
export class Names {
  readonly #known: (Known | undefined)[] = new Array(PLACES).fill(undefined);

  /** The name that lies in `bytes` from `start` to `end`, in UTF-8. */
  read(bytes: Buffer, start: number, end: number): string {
    const size = end - start;
    if (size === 0 || size > LONGEST) return bytes.toString('utf8', start, end);
    const place = (size * 31 + bytes[start]! * 7 + bytes[end - 1]!) & (PLACES - 1);
    const known = this.#known[place];
    if (known && known.bytes.length === size && same(known.bytes, bytes, start)) return known.text;
    const text = bytes.toString('utf8', start, end);
    this.#known[place] = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), text };
    return text;
  }
}

const same = (known: Uint8Array, bytes: Buffer, start: number): boolean => {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
};

import { Buffer } from 'node:buffer';
import { fail, isCount, listFrom } from './checks.ts';
import type { DecodeContext } from './context.ts';

/** The memory of each attachment of a body; those in the frame lie in `bytes` from `start` to `end`, one behind the other. */
export const readMemories = (
  places: unknown[],
  bytes: Buffer,
  start: number,
  end: number,
  context: DecodeContext,
): (ArrayBuffer | SharedArrayBuffer)[] => {
  let at = start;
  return places.map((place) => {
    if (isCount(place)) {
      if (at + place > end) fail(`An attachment of ${place} bytes does not fit.`);
      // A copy of its own, because the link's memory is used again, and views need aligned memory.
      const copy = Buffer.allocUnsafeSlow(place);
      bytes.copy(copy, 0, at, at + place);
      at += place;
      return copy.buffer as ArrayBuffer;
    }
    const [number, size] = listFrom(place);
    // Numbers below zero are of what comes in parts.
    if (!Number.isSafeInteger(number) || !(size === undefined || isCount(size))) {
      return fail('An attachment is nowhere.');
    }
    return size === undefined
      ? context.shared(number as number)
      : context.carried(number as number, size as number);
  });
};

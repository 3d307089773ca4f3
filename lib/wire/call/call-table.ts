import type { Call } from './call.ts';

/** So many slots there are at least and, because more than these are seldom in flight, at most; both powers of two. */
const LEAST = 64;
const MOST = 65_536;

/**
 * Calls by their numbers. These rise by one with each call, and most calls are answered in about that order, so that a
 * call nearly always has a slot of its own, where a Map would hash, grow and leave garbage.
 */
export class CallTable {
  #slots: (Call | undefined)[] = new Array(LEAST).fill(undefined);
  /** Those whose slot an older call has, or that are too many. */
  readonly #others = new Map<number, Call>();
  #inSlots = 0;

  /** How many calls it holds. */
  get size(): number {
    return this.#inSlots + this.#others.size;
  }

  /** Takes in a call that it does not hold. */
  add(call: Call): void {
    if (this.#inSlots * 2 >= this.#slots.length && this.#slots.length < MOST) this.#grow();
    const at = call.number & (this.#slots.length - 1);
    if (this.#slots[at] !== undefined) {
      this.#others.set(call.number, call);
      return;
    }
    this.#slots[at] = call;
    this.#inSlots++;
  }

  /** Takes out a call; `undefined` if it does not hold one of that number. */
  take(number: number): Call | undefined {
    const at = number & (this.#slots.length - 1);
    const call = this.#slots[at];
    // What a peer sends may be no number of a call at all, and then `&` finds somebody else's slot.
    if (call?.number === number) {
      this.#slots[at] = undefined;
      this.#inSlots--;
      return call;
    }
    if (this.#others.size === 0) return undefined;
    const other = this.#others.get(number);
    if (other) this.#others.delete(number);
    return other;
  }

  /** Takes out all, the oldest first. */
  takeAll(): Call[] {
    const all = [...this.#slots.filter((call) => call !== undefined), ...this.#others.values()];
    this.#slots = new Array(LEAST).fill(undefined);
    this.#others.clear();
    this.#inSlots = 0;
    return all.sort((one, other) => one.number - other.number);
  }

  #grow(): void {
    const held = this.#slots;
    this.#slots = new Array(held.length * 2).fill(undefined);
    for (const call of held) if (call) this.#slots[call.number & (this.#slots.length - 1)] = call;
  }
}

import { whenAborted } from '../wire/call/when-aborted.ts';

/** Who has how many slots. */
export interface Holder {
  readonly user: string;
  readonly count: number;
}

/** What is asked for. */
export interface SlotWish {
  readonly user: string;
  /** Whether to wait if none is free. */
  readonly waits: boolean;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Gives a slot back; a second time it does nothing. */
export type Slot = () => void;

interface Waiter {
  readonly user: string;
  readonly give: (slot: Slot) => void;
  readonly refuse: (cause: unknown) => void;
}

/**
 * The slots of a node, which all its clients share. When one becomes free, of the users who wait the one gets it who has
 * the fewest; of those, the one whose turn is longest ago; and of what a user waits for, the first.
 */
export class Slots {
  #count: number;
  readonly #held = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  /** Users in the order of their turns, the latest last. */
  readonly #turns = new Map<string, number>();
  #turn = 0;
  readonly #onChange: () => void;

  /** `onChange` is called whenever the number of slots, or of those that are free, has changed. */
  constructor(count: number, onChange: () => void) {
    this.#count = count;
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#count;
  }

  get held(): number {
    let sum = 0;
    for (const count of this.#held.values()) sum += count;
    return sum;
  }

  get free(): number {
    return Math.max(0, this.#count - this.held);
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Who has slots now, who has the most first. */
  holders(): Holder[] {
    const all = [...this.#held].map(([user, count]) => ({ user, count }));
    return all.sort((a, b) => b.count - a.count);
  }

  /** What is held beyond a smaller number stays so until it is given back. */
  resize(count: number): void {
    this.#count = count;
    this.#onChange();
    this.#serve();
  }

  /** Resolves to a slot, or to nothing if none is free and none is waited for; rejects with the signal's reason. */
  async take({ user, waits, signal }: SlotWish): Promise<Slot | undefined> {
    signal.throwIfAborted();
    // Nobody waits while one is free, so nobody is passed by.
    if (this.free > 0) return this.#hold(user);
    if (!waits) return undefined;
    return new Promise<Slot>((resolve, reject) => {
      const leave = () => this.#waiters.delete(waiter);
      const waiter: Waiter = {
        user,
        give: (slot) => {
          leave();
          unlisten();
          resolve(slot);
        },
        refuse: (cause) => {
          leave();
          unlisten();
          reject(cause);
        },
      };
      const unlisten = whenAborted(signal, () => waiter.refuse(signal.reason));
      this.#waiters.add(waiter);
    });
  }

  /** Whoever waits is told why there is nothing to wait for. */
  refuseWaiters(cause: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(cause);
  }

  #hold(user: string): Slot {
    this.#held.set(user, (this.#held.get(user) ?? 0) + 1);
    this.#turns.set(user, ++this.#turn);
    this.#onChange();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = this.#held.get(user)! - 1;
      if (left > 0) this.#held.set(user, left);
      else this.#held.delete(user);
      this.#onChange();
      this.#serve();
      this.#forget();
    };
  }

  #serve(): void {
    while (this.free > 0) {
      const waiter = this.#nextWaiter();
      if (!waiter) return;
      waiter.give(this.#hold(waiter.user));
    }
  }

  #nextWaiter(): Waiter | undefined {
    const rank = ({ user }: Waiter): [number, number] => [
      this.#held.get(user) ?? 0,
      this.#turns.get(user) ?? 0,
    ];
    let best: Waiter | undefined;
    for (const waiter of this.#waiters) {
      if (!best) {
        best = waiter;
        continue;
      }
      const [count, turn] = rank(waiter);
      const [bestCount, bestTurn] = rank(best);
      if (count < bestCount || (count === bestCount && turn < bestTurn)) best = waiter;
    }
    return best;
  }

  /** Whose turn was when matters only while somebody waits. */
  #forget(): void {
    if (this.#waiters.size > 0) return;
    for (const user of this.#turns.keys()) if (!this.#held.has(user)) this.#turns.delete(user);
  }
}

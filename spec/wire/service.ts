import { byReference } from '../../lib/wire/reference/reference.ts';

/** A class whose instances stay where they are made. */
export class Counter {
  constructor(public value = 0) {}
  add(by: number) {
    this.value += by;
    return this.value;
  }
  next() {
    return byReference(new Counter(this.value + 1));
  }
}

/** What the far side of a pair offers to the specs of a session. */
export const service = () => {
  const heard: unknown[] = [];
  return {
    heard,
    Counter,
    settings: { unit: 'm' },
    add: (a: number, b: number) => a + b,
    later: async (value: unknown) => value,
    echo: (value: unknown) => value,
    say: (text: string) => void heard.push(text),
    counter: (start: number) => byReference(new Counter(start)),
    apply: async (callback: (value: number) => unknown, value: number) => callback(value),
    same: (a: unknown, b: unknown) => a === b,
    fail(): never {
      throw new RangeError('m');
    },
    giveSymbol: () => ({ rows: [Symbol('no')] }),
    throwSymbol: (): never => {
      throw Symbol('lost');
    },
    throwHalf: (): never => {
      throw Object.assign(new TypeError('m'), { part: Symbol('no') });
    },
    throwGetter: (): never => {
      throw Object.defineProperty(new TypeError('m'), 'details', {
        enumerable: true,
        get() {
          throw new Error('hidden');
        },
      });
    },
  };
};

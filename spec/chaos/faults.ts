/** What can happen to a site. */
export type FaultKind = 'kill' | 'stop' | 'exit' | 'out of memory' | 'cut' | 'host';

/** One thing that goes wrong. */
export interface Fault {
  kind: FaultKind;
  /** The site below the host that it happens to; `undefined` for the host itself. */
  leaf: string | undefined;
  /** How long a stopped site stays so, in milliseconds. */
  during: number;
  /** What passes before the next one in the same part of the tree, in milliseconds. */
  pause: number;
}

/** Numbers from 0 to 1 that follow from a seed: mulberry32, public domain, by Tommy Ettinger. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** What may happen to which site, and how often. */
export interface Likelihood {
  kind: FaultKind;
  weight: number;
  leaves: readonly string[];
}

/** A plan of so many faults, the same for the same random numbers. */
export const planFaults = (
  count: number,
  likely: readonly Likelihood[],
  random: () => number,
): readonly Fault[] => {
  const total = likely.reduce((sum, { weight }) => sum + weight, 0);
  return Array.from({ length: count }, () => {
    let at = random() * total;
    const { kind, leaves } = likely.find(({ weight }) => {
      at -= weight;
      return at < 0;
    })!;
    return {
      kind,
      leaf: leaves[Math.floor(random() * leaves.length)],
      during: 20 + Math.floor(random() * 200),
      pause: Math.floor(random() * 100),
    };
  });
};

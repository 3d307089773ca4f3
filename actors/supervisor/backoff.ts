/** How long a restart waits, beside what OTP has; it grows with each restart of the same child. */
export interface Backoff {
  /** The first wait, in milliseconds. @default 100 */
  initial?: number;
  /** The longest, in milliseconds; a child that was up for as long begins anew. @default 30000 */
  max?: number;
  /** What each wait is multiplied with for the next. @default 2 */
  factor?: number;
  /** The share of each wait that is left to chance, from 0 to 1, so that many don't come back at once. @default 0.5 */
  jitter?: number;
}

/** How long the restart waits that follows `before` others, in milliseconds. */
export const backoffDelay = (
  { initial, max, factor, jitter }: Required<Backoff>,
  before: number,
  random: () => number,
): number => Math.min(max, initial * factor ** before) * (1 - jitter * random());

// What examples/rows.js reads in a site.
import { setTimeout } from 'node:timers/promises';

/** One measurement. */
export interface Row {
  readonly number: number;
  readonly celsius: number;
}

let open = 0;

/** How many measure now. */
export const measuring = (): number => open;

/** Measures without an end, every so many milliseconds. */
export async function* rows(every: number): AsyncGenerator<Row> {
  open++;
  try {
    for (let number = 1; ; number++) {
      yield { number, celsius: 20 + Math.sin(number / 10) };
      await setTimeout(every);
    }
  } finally {
    open--;
  }
}

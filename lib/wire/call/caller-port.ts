import type { Sender } from '../frame/sender.ts';
import type { LiveValues } from '../live-values.ts';

/** What a caller needs of its session. */
export interface CallerPort {
  readonly peer: string;
  readonly sender: Sender;
  /** Made after its caller, because it needs one. */
  live(): LiveValues;
  /** So many more calls wait for an answer, or fewer. */
  waits(more: number): void;
}

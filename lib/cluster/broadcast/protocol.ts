import type { Packed } from './packed.ts';
import type { FilePlace } from './shared-file.ts';

/** What the processes of a cluster ask each other for the sake of broadcasts; `key` names one in its cluster. */
export interface BroadcastService {
  /** Whether it sees this memory, because it is a thread of the same process. */
  sharesMemory(memory: SharedArrayBuffer): Promise<boolean>;
  /** Whether it sees this file, because it is on the same host. */
  seesFile(place: FilePlace): Promise<boolean>;
  /** Takes a value whose bytes lie in memory that it shares with others. */
  takeMemory(key: string, body: Uint8Array, memories: readonly SharedArrayBuffer[]): Promise<void>;
  /** Takes a value out of a file. */
  takeFile(key: string, place: FilePlace, sizes: readonly number[]): Promise<void>;
  /** Takes a value and sends it on to others; gives those that have it now, itself among them. */
  take(key: string, packed: Packed, others: readonly number[]): Promise<readonly number[]>;
  /** Gives a value that lies here, to a process that came later. */
  give(key: string): Promise<Packed>;
  /** The value is not needed any more; at its owner it is dropped everywhere. */
  drop(key: string): Promise<void>;
}

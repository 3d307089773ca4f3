import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { IN_FOLDER } from './folder.ts';

/** How much a log may hold before it becomes the older one, in bytes; so two of these are kept at most. */
export const LOG_SIZE = 1024 * 1024;

/** Opens the log in a private folder, so that all that is written goes to its end; gives the descriptor. */
export const openLog = (folder: string): number => openSync(join(folder, IN_FOLDER.log), 'a', 0o600);

/**
 * The output of a detached site. Native code and what the site starts write to the same file past this, through the
 * descriptors 1 and 2, so a full log is copied and emptied instead of being renamed: everybody goes on at its start.
 */
export class LogFile {
  readonly #folder: string;
  readonly #descriptor: number;
  readonly #limit: number;
  #size: number;

  /** `limit` is in bytes. */
  constructor(folder: string, limit = LOG_SIZE) {
    this.#folder = folder;
    this.#limit = limit;
    this.#descriptor = openLog(folder);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** Writes what was printed; a full disk loses it and does no other harm. */
  write(text: string): void {
    try {
      this.#size += writeSync(this.#descriptor, text);
      if (this.#size > this.#limit) this.turn();
    } catch {
      // The site is worth more than its log.
    }
  }

  /** Begins anew if the log is full, whoever has filled it. */
  turn(): void {
    try {
      this.#size = fstatSync(this.#descriptor).size;
      if (this.#size <= this.#limit) return;
      copyFileSync(join(this.#folder, IN_FOLDER.log), join(this.#folder, IN_FOLDER.olderLog));
      ftruncateSync(this.#descriptor);
      this.#size = 0;
    } catch {
      // As above; it is tried again with what is written next.
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

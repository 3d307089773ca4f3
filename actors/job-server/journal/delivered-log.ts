import { Buffer } from 'node:buffer';
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { JournalError } from './errors.ts';
import type { JobPlace } from './keys.ts';

const NUMBER = 6;
const CHECK = 4;
const ENTRY = 2 * NUMBER + CHECK;
/** A file that has grown past this is emptied as soon as all of it is in the database, in bytes. */
const MOST = 1024 * 1024;
const NAMES = ['delivered.0', 'delivered.1'];
const { O_CREAT, O_RDWR } = constants;

interface LogFile {
  readonly file: number;
  size: number;
  /** How many of its entries are not in the database yet. */
  open: number;
}

/**
 * Which results were delivered and are still in the database, because they leave it with the next group that is written.
 * An entry is with the operating system when `note` returns, so it outlives this process, and who reads results does not
 * wait for the disk between two of them. Two files take turns, so that one can be emptied while the other one grows.
 */
export class DeliveredLog {
  readonly #path: string;
  readonly #files: readonly LogFile[];
  readonly #entry = Buffer.alloc(ENTRY);
  /** What an earlier process has delivered. */
  readonly left: readonly JobPlace[];
  #current: LogFile;

  /** Opens the log of a journal, or makes it. Throws JournalError. */
  constructor(path: string) {
    this.#path = path;
    const left: JobPlace[] = [];
    this.#files = NAMES.map((name) => {
      const file = this.#try(() => openSync(join(path, name), O_CREAT | O_RDWR, 0o600));
      left.push(...entriesIn(this.#try(() => readFileSync(file))));
      return { file, size: 0, open: 0 };
    });
    this.#current = this.#files[0]!;
    this.left = left;
  }

  /** What was left is no longer in the database. Throws JournalError. */
  empty(): void {
    for (const { file } of this.#files) this.#try(() => ftruncateSync(file));
  }

  /** How many results are noted here and not gone from the database. */
  get open(): number {
    return this.#files.reduce((sum, { open }) => sum + open, 0);
  }

  /** A result was delivered; what is returned is called when it is gone from the database. Throws JournalError. */
  note({ submission, index }: JobPlace): () => void {
    const entry = this.#entry;
    entry.writeUIntBE(submission, 0, NUMBER);
    entry.writeUIntBE(index, NUMBER, NUMBER);
    entry.writeUInt32BE(crc32(entry.subarray(0, 2 * NUMBER)), 2 * NUMBER);
    const log = this.#writable;
    this.#try(() => writeSync(log.file, entry, 0, ENTRY, log.size));
    log.size += ENTRY;
    log.open++;
    return () => {
      log.open--;
    };
  }

  get #writable(): LogFile {
    const current = this.#current;
    if (current.size < MOST) return current;
    const other = this.#files.find((each) => each !== current)!;
    if (other.open > 0) return current;
    this.#try(() => ftruncateSync(other.file));
    other.size = 0;
    this.#current = other;
    return other;
  }

  close(): void {
    for (const { file } of this.#files) closeSync(file);
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new JournalError(
        this.#path,
        `The journal ${this.#path} can not note what was delivered (${(cause as Error).message}). Look whether the disk is full, and open it again.`,
        { cause },
      );
    }
  }
}

/** The entries of a file; its process may have ended while it wrote one. */
function* entriesIn(bytes: Buffer): Generator<JobPlace> {
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const check = at + 2 * NUMBER;
    if (crc32(bytes.subarray(at, check)) !== bytes.readUInt32BE(check)) continue;
    yield { submission: bytes.readUIntBE(at, NUMBER), index: bytes.readUIntBE(at + NUMBER, NUMBER) };
  }
}

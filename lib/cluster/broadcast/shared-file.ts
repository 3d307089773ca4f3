import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Packed } from './packed.ts';

/** Files here are memory, on Linux. */
const MEMORY = '/dev/shm';

/** Where something lies that processes on this host can read. */
export interface FilePlace {
  readonly path: string;
  /** Random bytes at its beginning: another host may have a file of that name. */
  readonly nonce: Uint8Array;
}

/** A file in a folder that only this user can enter, for as long as a broadcast takes. */
export class SharedFile implements AsyncDisposable {
  readonly place: FilePlace;
  readonly #folder: string;

  private constructor(folder: string, place: FilePlace) {
    this.#folder = folder;
    this.place = place;
  }

  /** Makes one with nothing in it but its nonce. Rejects with what the file system says. */
  static async make(): Promise<SharedFile> {
    const folder = await mkdtemp(join(MEMORY, 'offsite-')).catch(() => mkdtemp(join(tmpdir(), 'offsite-')));
    const file = new SharedFile(folder, { path: join(folder, 'broadcast'), nonce: randomBytes(32) });
    try {
      const handle = await open(file.place.path, 'wx', 0o600);
      await handle.write(file.place.nonce).finally(() => handle.close());
      return file;
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  async write({ body, parts }: Packed): Promise<void> {
    const handle = await open(this.place.path, 'r+');
    try {
      let at = this.place.nonce.byteLength;
      for (const piece of [body, ...parts]) {
        // Node.js writes no more than 2 GiB at once, and may write less.
        for (let from = 0; from < piece.byteLength; ) {
          const { bytesWritten } = await handle.write(piece, from, piece.byteLength - from, at);
          from += bytesWritten;
          at += bytesWritten;
        }
      }
    } finally {
      await handle.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Reads what lies there; nothing if it does not lie there for this process. Rejects if it is shorter than it says. */
export const readShared = async (
  { path, nonce }: FilePlace,
  sizes: readonly number[],
): Promise<Packed | undefined> => {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return undefined;
  try {
    const found = new Uint8Array(nonce.byteLength);
    await handle.read(found, 0, found.byteLength, 0);
    if (!found.every((byte, index) => byte === nonce[index])) return undefined;
    let at = nonce.byteLength;
    const pieces: Uint8Array[] = [];
    for (const size of sizes) {
      const piece = new Uint8Array(size);
      for (let from = 0; from < size; ) {
        const { bytesRead } = await handle.read(piece, from, size - from, at);
        if (bytesRead === 0) throw new RangeError(`${path} is shorter than was said.`);
        from += bytesRead;
        at += bytesRead;
      }
      pieces.push(piece);
    }
    const [body = new Uint8Array(0), ...parts] = pieces;
    return { body, parts };
  } finally {
    await handle.close();
  }
};

import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { FileTransferError } from '../../lib/jobs/errors.ts';
import { piecesOf } from '../../lib/jobs/files.ts';
import type { FileText } from '../../lib/jobs/protocol.ts';

interface KnownFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly hash: string;
  readonly mode: number;
}

/** Files that go with jobs: each is read once to know its hash, until it changes. */
export class OutgoingFiles {
  readonly #byPath = new Map<string, Promise<KnownFile>>();
  readonly #byHash = new Map<string, KnownFile>();

  /**
   * A file as it goes along: under `as`, or its path below this process's folder, or else its own name. Rejects with
   * what the file system says, or with FileTransferError if it is no plain file.
   */
  async describe(path: string, as: string | undefined): Promise<FileText> {
    const full = await realpath(resolve(path));
    const { size, hash, mode } = await this.#known(full);
    const below = relative(process.cwd(), resolve(path));
    const isBelow = below !== '' && !isAbsolute(below) && below.split(sep)[0] !== '..';
    return { name: as ?? (isBelow ? below.split(sep).join('/') : basename(path)), size, hash, mode };
  }

  /** The content of a file that was described, as it is now. */
  async *content(hash: string): AsyncGenerator<Uint8Array, undefined> {
    const file = this.#byHash.get(hash);
    if (!file) throw new FileTransferError(hash, `No file with the SHA-256 ${hash} goes with any job.`);
    yield* piecesOf(file.path);
  }

  async #known(path: string): Promise<KnownFile> {
    const known = this.#byPath.get(path);
    const found = await stat(path);
    // A pipe may never give anything, and a device never end.
    if (!found.isFile())
      throw new FileTransferError(path, `${path} can't go with a job: it is no plain file.`);
    const { size, mtimeMs, mode } = found;
    if (known) {
      const file = await known;
      if (file.size === size && file.mtimeMs === mtimeMs) return file;
    }
    const reading = (async () => {
      const digest = createHash('sha256');
      let read = 0;
      for await (const bytes of piecesOf(path)) {
        digest.update(bytes);
        read += bytes.byteLength;
      }
      const file = { path, size: read, mtimeMs, mode: mode & 0o777, hash: digest.digest('hex') };
      this.#byHash.set(file.hash, file);
      return file;
    })();
    this.#byPath.set(path, reading);
    reading.catch(() => this.#byPath.delete(path));
    return reading;
  }
}

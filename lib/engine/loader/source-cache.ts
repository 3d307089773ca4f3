import { promises, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

const DAY = 24 * 3_600_000;
/** What nobody has used for this long is removed, in milliseconds. */
const KEEP_FOR = 30 * DAY;

/** SHA-256 in hexadecimal. Loaded when it is needed, because most sites start without. */
export const hashOf = (bytes: Uint8Array): string =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');

let drafts = 0;

/** The user's folder for what was sent once and need not be sent again. */
const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'offsite');

/** Removes what is old in a folder, and marks what a running site uses as used. */
const sweep = async (folder: string, now: number): Promise<void> => {
  for (const name of await promises.readdir(folder)) {
    const path = join(folder, name);
    const found = await promises.stat(path);
    if (found.isFile() && now - found.mtimeMs > KEEP_FOR) await promises.rm(path, { force: true });
  }
};

/**
 * Sources that have travelled to this host, by hash, as the engine is kept too. It is only ever a help: what can't be
 * read or does not have its hash is not there, and what can't be written is sent again the next time.
 */
export class SourceCache {
  readonly #folder = join(cacheFolder(), 'modules');
  readonly #used: string[] = [];

  /** The source with a hash, if it is here and whole. */
  read(hash: string): Buffer | undefined {
    try {
      const bytes = readFileSync(join(this.#folder, hash));
      if (hashOf(bytes) !== hash) return undefined;
      this.#used.push(hash);
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** Keeps sources for the next site; in the background, and never rejects. */
  async keep(sources: Iterable<readonly [hash: string, bytes: Uint8Array]>): Promise<void> {
    try {
      await promises.mkdir(this.#folder, { recursive: true, mode: 0o700 });
      for (const [hash, bytes] of sources) await this.#write(hash, bytes);
      await this.#tidy();
    } catch {
      // A read-only home, or a full disk.
    }
  }

  async #write(hash: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, hash);
    // Virtual sites share the process, and each counts for itself.
    const draft = `${path}.${process.pid}.${threadId}.${++drafts}`;
    try {
      await promises.writeFile(draft, bytes, { mode: 0o600 });
      await promises.rename(draft, path);
    } catch (cause) {
      await promises.rm(draft, { force: true });
      throw cause;
    }
  }

  /** Once a day removes what is old; a file's time says when it was last used. */
  async #tidy(): Promise<void> {
    const now = Date.now();
    const stamp = join(this.#folder, 'tidied');
    const last = await promises.stat(stamp).catch(() => undefined);
    if (last && now - last.mtimeMs < DAY) return;
    await promises.writeFile(stamp, '', { mode: 0o600 });
    const time = new Date(now);
    const engine = typeof __filename === 'string' ? [__filename] : [];
    const used = [...engine, ...this.#used.map((hash) => join(this.#folder, hash))];
    await Promise.all(used.map((path) => promises.utimes(path, time, time).catch(() => {})));
    await sweep(this.#folder, now);
    await sweep(cacheFolder(), now);
  }
}

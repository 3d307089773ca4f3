import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Described } from '../../module/source/service.ts';
import { beforeClosing } from '../closers.ts';
import { hashOf, SourceCache } from './source-cache.ts';

/** How long the end of a site may wait for its cache, in milliseconds. */
const KEEP_WITHIN = 1_000;

/** What lies in the same place as on the parent, if it is the same. */
const inPlace = (url: string, hash: string): Buffer | undefined => {
  try {
    const bytes = readFileSync(fileURLToPath(url));
    return hashOf(bytes) === hash ? bytes : undefined;
  } catch {
    return undefined;
  }
};

/** The sources of a site's modules, by hash. */
export class SourceStore {
  readonly #cache = new SourceCache();
  readonly #sources = new Map<string, Uint8Array>();
  #keeping: Promise<unknown> = Promise.resolve();

  /** Whether a source is here: in memory, in the same place with the same content, or from an earlier time. */
  has({ url, hash, made }: Described): boolean {
    if (this.#sources.has(hash)) return true;
    const bytes = (made ? undefined : inPlace(url, hash)) ?? this.#cache.read(hash);
    if (bytes) this.#sources.set(hash, bytes);
    return bytes !== undefined;
  }

  /**
   * Takes sources that have arrived, and keeps them for other sites in the background; a site that is closed before
   * finishes this, if it is quick. Throws if one does not have its hash.
   */
  add(hashes: readonly string[], sources: readonly Uint8Array[]): void {
    const arrived = hashes.map((hash, i) => [hash, sources[i]!] as const);
    for (const [hash, bytes] of arrived) {
      if (hashOf(bytes) !== hash) throw new Error(`The source with the hash ${hash} arrived damaged.`);
      this.#sources.set(hash, bytes);
    }
    this.#keeping = Promise.all([this.#keeping, this.#cache.keep(arrived)]);
    beforeClosing(this.#finishKeeping);
  }

  /** The source of a module; one that is left to Node lies where its URL says. */
  bytes({ url, hash }: Described): Uint8Array {
    return this.#sources.get(hash) ?? readFileSync(fileURLToPath(url));
  }

  /** The same as text. */
  text(described: Described): string {
    const { buffer, byteOffset, byteLength } = this.bytes(described);
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  }

  readonly #finishKeeping = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, KEEP_WITHIN);
    });
    await Promise.race([this.#keeping, late]);
    clearTimeout(timer);
  };
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { upstream } from '../module/source/upstream.ts';

/** The engine as one file: where it lies here, and what is sent to a host that does not have it. */
export interface EngineFile {
  /** `undefined` in a site to which this package has travelled. */
  readonly path: string | undefined;
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly hash: string;
}

let file: EngineFile | undefined;

/** The engine that belongs to this version; read once. */
export const engineFile = (): EngineFile => {
  if (!file) {
    // By the package's own name, so that it is found from the sources and from the built files alike.
    const path = createRequire(import.meta.url).resolve('offsite/engine');
    const travelled = upstream()?.read(path);
    const bytes = travelled ? Buffer.from(travelled) : readFileSync(path);
    file = {
      path: travelled ? undefined : path,
      bytes,
      hash: createHash('sha256').update(bytes).digest('hex'),
    };
  }
  return file;
};

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * The SHA-256 of a file, as `sha256sum` prints it:
 *
 *   offsite map examples/checksum.ts#sha256 README.md LICENSE
 */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `${hash.digest('hex')}  ${path}`;
}

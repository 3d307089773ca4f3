import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { TypeScriptError } from '../errors.ts';
import { packageType } from './package.ts';
import type { Format } from './service.ts';
import { type Specifiers, specifiersOf } from './specifiers.ts';
import { isTypeScript, strip } from './strip.ts';

/** A file as a site will get it. */
export interface Scan extends Specifiers {
  readonly format: Format;
  readonly bytes: Buffer;
  readonly hash: string;
  /** Whether the bytes are not the file's own. */
  readonly made: boolean;
  readonly mapped: boolean;
  readonly changed: number;
}

/** How many bytes of sources are kept for the next site that asks for them. */
const MOST_KEPT = 64 * 1024 * 1024;

const NOTHING: Specifiers = { isModule: false, imports: [], requires: [], names: [], reexports: [] };

const kept = new Map<string, { readonly stamp: string; readonly scan: Promise<Scan>; size: number }>();
let keptBytes = 0;

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What a file's name and package say of its format; `undefined` if its syntax decides. */
const formatByName = (path: string): Format | undefined => {
  const extension = /\.([^./]*)$/.exec(path)?.[1] ?? '';
  if (extension === 'json' || extension === 'wasm') return extension;
  if (/^m[jt]s$/.test(extension)) return 'module';
  if (/^c[jt]s$/.test(extension)) return 'commonjs';
  return packageType(path);
};

const read = async (path: string, changed: number): Promise<Scan> => {
  if (/\.[jt]sx$/.test(path))
    throw new TypeScriptError(`${path} has JSX, which has to be compiled before it is linked.`);
  const own = await readFile(path);
  const byName = formatByName(path);
  if (byName === 'json' || byName === 'wasm') {
    return { ...NOTHING, format: byName, bytes: own, hash: hashOf(own), made: false, mapped: false, changed };
  }
  const made = isTypeScript(path);
  const { code, mapped } = made
    ? await strip(own.toString('utf8'), path)
    : { code: own.toString('utf8'), mapped: false };
  const bytes = made ? Buffer.from(code) : own;
  const specifiers = await specifiersOf(code, path, byName);
  const format = specifiers.isModule ? 'module' : 'commonjs';
  return { ...specifiers, format, bytes, hash: hashOf(bytes), made, mapped, changed };
};

const forget = (path: string): void => {
  keptBytes -= kept.get(path)?.size ?? 0;
  kept.delete(path);
};

/** Reads a file, or remembers it while it has not changed; rejects if it can't be read or turned into JavaScript. */
export const scan = async (path: string): Promise<Scan> => {
  const { mtimeMs, ctimeMs, size, ino } = await stat(path);
  const stamp = [mtimeMs, ctimeMs, size, ino].join();
  const known = kept.get(path);
  if (known?.stamp === stamp) return known.scan;
  forget(path);
  const scanning = read(path, ctimeMs);
  const entry = { stamp, scan: scanning, size };
  kept.set(path, entry);
  keptBytes += size;
  scanning.catch(() => {
    if (kept.get(path) === entry) forget(path);
  });
  for (const oldest of kept.keys()) {
    if (keptBytes <= MOST_KEPT) break;
    forget(oldest);
  }
  return scanning;
};

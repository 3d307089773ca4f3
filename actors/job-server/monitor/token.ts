import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { OptionError } from '../../../lib/wire/errors.ts';

/** A new token: 32 random bytes in letters that need no escaping in a URL. */
export const newToken = (): string => randomBytes(32).toString('base64url');

const TOKEN = /^[\w-]{32,256}$/;

const readTokenFile = (file: string): string | undefined => {
  let mode: number;
  let token: string;
  try {
    ({ mode } = statSync(file));
    token = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { message } = cause as Error;
    throw new OptionError('tokenFile', `The monitor's token could not be read: ${message}.`, { cause });
  }
  // Windows has no such bits. A group may read it: a collector of metrics runs as a user of its own.
  if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
    throw new OptionError(
      'tokenFile',
      `Everybody on this host may read the token in ${file}: chmod o= "${file}".`,
    );
  }
  if (!TOKEN.test(token)) {
    throw new OptionError(
      'tokenFile',
      `${file} holds no token, which is 32 to 256 letters, digits, _ and -: remove it, and a new one is written.`,
    );
  }
  return token;
};

/** The token in a file, which is written (mode 0600) if it is not there. Throws OptionError. */
export const tokenIn = (file: string): string => {
  const known = readTokenFile(file);
  if (known !== undefined) return known;
  const token = newToken();
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    // Another program was quicker, and its token is as good.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return readTokenFile(file) ?? tokenIn(file);
    const { message } = cause as Error;
    throw new OptionError('tokenFile', `The monitor's token could not be written: ${message}.`, { cause });
  }
  return token;
};

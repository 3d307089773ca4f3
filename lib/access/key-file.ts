import { createHash, randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { OptionError } from '../wire/errors.ts';
import type { Domain } from './credentials.ts';

const KEY_SIZE = 32;
const LINE = /^offsite-key (?<user>\S+) (?<domain>use|node|admin) (?<secret>[\w-]{43})$/;
const USER = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

/** A user's key: 32 random bytes, by which he is proved and what he does is encrypted. */
export interface Key {
  readonly user: string;
  readonly domain: Domain;
  readonly bytes: Buffer;
}

/** Whether something can be the name of a user: it goes over the network, into files and into folders' names. */
export const isUserName = (name: unknown): name is string => typeof name === 'string' && USER.test(name);

/** What is said of a name that is none. */
export const USER_NAMES = '1 to 64 letters, digits and . _ @ -, the first a letter or a digit';

/** A new key; throws OptionError unless the user's name can be one. */
export const newKey = (user: string, domain: Domain): Key => {
  if (isUserName(user)) return { user, domain, bytes: randomBytes(KEY_SIZE) };
  throw new OptionError('user', `user is ${JSON.stringify(user)}, but must be ${USER_NAMES}.`);
};

/** The line of a key in a file, without its end. */
export const keyLine = ({ user, domain, bytes }: Key): string =>
  `offsite-key ${user} ${domain} ${bytes.toString('base64url')}`;

/** The lines of a text that say something, with their numbers; what begins with `#` is a comment. */
export const linesThatSay = (text: string): [line: string, number: number][] =>
  text
    .split('\n')
    .map((line, index): [string, number] => [line.trim(), index + 1])
    .filter(([line]) => line !== '' && !line.startsWith('#'));

/** Reads the keys of a text. Throws OptionError, which names `from` and the line, and nothing of what stands in it. */
export const parseKeys = (text: string, from: string, option = 'secretFile'): Key[] =>
  linesThatSay(text).map(([line, number]) => {
    const { user, domain, secret } = LINE.exec(line)?.groups ?? {};
    const bytes = Buffer.from(secret ?? '', 'base64url');
    // The last letter may hold bits that mean nothing, so that two texts would be read as one.
    if (!isUserName(user) || bytes.length !== KEY_SIZE || bytes.toString('base64url') !== secret) {
      const what = `${option}: line ${number} of ${from} is not a key`;
      throw new OptionError(option, `${what}. Make one with: offsite keygen --out FILE`);
    }
    return { user, domain: domain as Domain, bytes };
  });

/**
 * What names a key in the handshake, where everybody can read it: the user, and which of his keys it is, so that he can
 * have a new one before the old one is taken away.
 */
export const identityOfKey = ({ user, bytes }: Key): string => {
  const which = createHash('sha256').update('offsite key\0').update(bytes).digest().subarray(0, 8);
  return `offsite/key/${user}/${which.toString('base64url')}`;
};

/** Where `offsite keygen` puts a key, and clients look for theirs. */
export const ownKeyFile = (env: NodeJS.ProcessEnv = process.env): string => {
  const { XDG_CONFIG_HOME: config } = env;
  return join(config?.startsWith('/') ? config : join(homedir(), '.config'), 'offsite', 'key');
};

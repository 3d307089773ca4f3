import { existsSync } from 'node:fs';
import process from 'node:process';
import { OptionError } from '../wire/errors.ts';
import type { Credentials } from './credentials.ts';
import type { Certificates } from './handshake.ts';
import { isUserName, type Key, ownKeyFile, parseKeys, USER_NAMES } from './key-file.ts';
import { readCertificate, readPrivateKey } from './pem.ts';
import { readPrivateFile } from './private-file.ts';

/** By what a client proves who he is; `assumed` is a key that nobody named, because it was where keys are. */
export type Known =
  | { readonly by: 'nothing' }
  | { readonly by: 'key'; readonly key: Key; readonly assumed: boolean }
  | { readonly by: 'certificate'; readonly certificates: Certificates }
  | {
      readonly by: 'password';
      readonly user: string;
      readonly password: string | (() => string | Promise<string>);
      /** The authorities of the daemon's certificate; without them the password proves the daemon too. */
      readonly ca: string | undefined;
    };

const keyOf = (text: string, from: string, option: string, user: string | undefined): Key => {
  const keys = parseKeys(text, from, option).filter((key) => user === undefined || key.user === user);
  const [key, another] = keys;
  if (key && (!another || user !== undefined)) return key;
  const what = key
    ? `keys of ${[...new Set(keys.map((one) => one.user))].join(', ')}`
    : `no key${user ? ` of ${user}` : ''}`;
  const remedy = key ? 'Say which one with user' : 'Make one with: offsite keygen';
  throw new OptionError(option, `${option}: ${from} has ${what}. ${remedy}.`);
};

const missing = (option: string, what: string): OptionError =>
  new OptionError(option, `${option} is missing: ${what}.`);

const KINDS: readonly (readonly [kind: string, fields: readonly (keyof Credentials)[]])[] = [
  ['a key', ['secret', 'secretFile']],
  ['a certificate', ['certfile', 'keyfile']],
  ['a password', ['password']],
];

/**
 * What a client's credentials come to, with what is not said looked for where `offsite keygen` puts it. Files are read each
 * time. Throws OptionError if a file is wrong, can be read by others, or if more than one way is named.
 */
export const knownCredentials = (
  credentials: Credentials = {},
  env: NodeJS.ProcessEnv = process.env,
): Known => {
  const { secret, secretFile, certfile, keyfile, ca, user, password } = credentials;
  const kinds = KINDS.filter(([, fields]) => fields.some((field) => credentials[field] !== undefined));
  if (kinds.length > 1) {
    const what = kinds.map(([kind]) => kind).join(' and ');
    throw new OptionError('credentials', `credentials have ${what}, but must have one of them.`);
  }
  if (user !== undefined && !isUserName(user))
    throw new OptionError('user', `user is ${JSON.stringify(user)}, but must be ${USER_NAMES}.`);
  if (password !== undefined) {
    if (user === undefined) throw missing('user', 'a password is that of a user');
    return { by: 'password', user, password, ca: ca === undefined ? undefined : readCertificate(ca, 'ca') };
  }
  if (certfile !== undefined || keyfile !== undefined) {
    if (certfile === undefined) throw missing('certfile', 'a private key needs its certificate');
    if (keyfile === undefined) throw missing('keyfile', 'a certificate needs its private key');
    if (ca === undefined)
      throw missing('ca', "it says whose certificates are good, and the daemon's must be");
    const [cert, key] = [readCertificate(certfile, 'certfile'), readPrivateKey(keyfile, 'keyfile')];
    return { by: 'certificate', certificates: { cert, key, ca: readCertificate(ca, 'ca') } };
  }
  if (ca !== undefined) throw missing('certfile', 'ca alone proves the daemon, and nobody to it');
  if (secret !== undefined)
    return { by: 'key', key: keyOf(secret, 'the text', 'secret', user), assumed: false };
  const named = secretFile ?? (env.OFFSITE_SECRET_FILE || undefined);
  const file = named ?? ownKeyFile(env);
  if (named === undefined && !existsSync(file)) {
    if (user === undefined) return { by: 'nothing' };
    throw missing('password', `${user} has neither a password nor a key in ${file}`);
  }
  const option = secretFile === undefined && named !== undefined ? 'OFFSITE_SECRET_FILE' : 'secretFile';
  const key = keyOf(readPrivateFile(file, option), file, option, user);
  return { by: 'key', key, assumed: named === undefined };
};

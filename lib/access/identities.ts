import type { PeerCertificate, TLSSocket } from 'node:tls';
import { OptionError } from '../wire/errors.ts';
import type { AccessFiles, Domain } from './credentials.ts';
import { LOGIN, PUBLIC } from './handshake.ts';
import { identityOfKey, isUserName, type Key, parseKeys } from './key-file.ts';
import type { LoginDesk } from './login/serve-login.ts';
import { Sessions } from './login/sessions.ts';
import { Throttle } from './login/throttle.ts';
import { parsePasswords } from './password-file.ts';
import { readCertificate, readPrivateKey } from './pem.ts';
import { WatchedFile } from './private-file.ts';
import type { Visitor } from './visitor.ts';

/** The organizational unit of a certificate whose user may steer the daemon. */
export const ADMIN_UNIT = 'offsite-admin';

/** The organizational unit of a certificate whose machine may serve as a node of a scheduler. */
export const NODE_UNIT = 'offsite-node';

const domainOf = (units: readonly string[]): Domain =>
  units.includes(ADMIN_UNIT) ? 'admin' : units.includes(NODE_UNIT) ? 'node' : 'use';

/** Who somebody is, and how he proved it. */
export type Identity = Pick<Visitor, 'user' | 'domain' | 'by'>;

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const byCertificate = ({ subject }: PeerCertificate): Identity | undefined => {
  const { CN: user, OU: units } = (subject ?? {}) as { CN?: string | string[]; OU?: string | string[] };
  if (!isUserName(user)) return undefined;
  return { user, domain: domainOf(listOf(units)), by: 'certificate' };
};

/** Throws OptionError unless what is named can be used together, and lets somebody in. */
const checkFiles = ({ secretFile, certfile, keyfile, ca, passwordFile }: AccessFiles): void => {
  if ((certfile === undefined) !== (keyfile === undefined)) {
    const missing = certfile === undefined ? 'certfile' : 'keyfile';
    throw new OptionError(
      missing,
      `${missing} is missing: a certificate needs its private key, and the other way round.`,
    );
  }
  if (ca !== undefined && certfile === undefined)
    throw new OptionError('certfile', 'certfile is missing: who asks for certificates (ca) has to show one.');
  if (secretFile === undefined && ca === undefined && passwordFile === undefined)
    throw new OptionError('ca', 'ca is missing: with certfile and keyfile alone, nobody could come in.');
};

/** All by which visitors are known, whichever way they prove it. */
export class Identities {
  /** PEM texts of the daemon's own certificate, and of the authorities for those of clients. */
  readonly certificates: { readonly cert?: string; readonly key?: string; readonly ca?: string };
  /** Where passwords are proved, if there are any. */
  readonly desk: LoginDesk | undefined;
  readonly #keys: WatchedFile<ReadonlyMap<string, Key>> | undefined;
  /** What each connection has named; whether it also had the key, the handshake says. */
  readonly #named = new WeakMap<object, Identity | 'login'>();

  /** Throws OptionError. `onTrouble` is told when a file can not be read any more. */
  constructor(files: AccessFiles, onTrouble: (error: Error) => void) {
    checkFiles(files);
    const { secretFile, certfile, keyfile, ca, passwordFile } = files;
    this.certificates = {
      ...(certfile !== undefined && { cert: readCertificate(certfile, 'certfile') }),
      ...(keyfile !== undefined && { key: readPrivateKey(keyfile, 'keyfile') }),
      ...(ca !== undefined && { ca: readCertificate(ca, 'ca') }),
    };
    const keysOf = (text: string, path: string) =>
      new Map(parseKeys(text, path).map((key) => [identityOfKey(key), key]));
    this.#keys =
      secretFile === undefined ? undefined : new WatchedFile(secretFile, 'secretFile', keysOf, onTrouble);
    if (passwordFile === undefined) return;
    const passwords = new WatchedFile(passwordFile, 'passwordFile', parsePasswords, onTrouble);
    this.desk = { passwords: () => passwords.current, sessions: new Sessions(), throttle: new Throttle() };
  }

  /** The key that an identity names; who has it is known by `identify` when the handshake is done. */
  keyOf(socket: object, identity: string): Buffer | undefined {
    this.#named.delete(socket);
    if (identity === PUBLIC.identity) {
      if (this.desk) this.#named.set(socket, 'login');
      return this.desk && PUBLIC.key;
    }
    const key = this.#keys?.current?.get(identity);
    if (key) {
      this.#named.set(socket, { user: key.user, domain: key.domain, by: 'key' });
      return key.bytes;
    }
    const session = this.desk?.sessions.find(identity, this.desk.passwords()?.verifiers ?? new Map());
    if (session) this.#named.set(socket, { user: session.user, domain: session.domain, by: 'password' });
    return session?.key;
  }

  /** Who is at the other end of a TLS connection whose handshake is done; `'login'` for one who wants to give a password. */
  identify(socket: TLSSocket): Identity | 'login' | undefined {
    // OpenSSL's word for a handshake by a key: with what was named alone, a certificate could stand in for the key.
    const named = socket.isSessionReused() ? this.#named.get(socket) : undefined;
    const { cert, ca } = this.certificates;
    if (socket.alpnProtocol === LOGIN) {
      const shown = !socket.isSessionReused() && cert !== undefined && this.desk !== undefined;
      return named === 'login' || shown ? 'login' : undefined;
    }
    if (socket.alpnProtocol === false || named === 'login') return undefined;
    if (socket.isSessionReused()) return named;
    return ca !== undefined && socket.authorized ? byCertificate(socket.getPeerCertificate()) : undefined;
  }
}

/** What is not for everybody who may use a daemon: steering it, and serving as a node of a scheduler. */
const STEERING = /^\/admin(?:[/?]|$)/;
const SERVING = /^\/join(?:ed)?(?:[/?]|$)/;

/** Whether a user of a domain may ask for a path. */
export const mayAsk = (domain: Domain, path: string): boolean => {
  if (domain === 'admin') return true;
  return SERVING.test(path) === (domain === 'node') && !STEERING.test(path);
};

import { randomBytes } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { OptionError } from '../../wire/errors.ts';
import { PROTOCOL } from '../../wire/frame/frame.ts';

/** How many bytes the key of a cluster has. They must be random: what can be guessed can be tried without asking a door. */
export const KEY_SIZE = 32;
/** OpenSSL takes identities of at most 256 bytes. */
const LONGEST_NAME = 200;

/** What all members of a cluster have, and nobody else. */
export interface Membership {
  /** The cluster's name: 1 to 200 printable ASCII characters. It goes over the network as it is. */
  readonly cluster: string;
  /** The cluster's key: 32 random bytes. */
  readonly key: Uint8Array;
}

/** Throws OptionError unless the membership can be one. */
export const checkMembership = ({ cluster, key }: Membership): void => {
  if (typeof cluster !== 'string' || !/^[\x20-\x7e]+$/.test(cluster) || cluster.length > LONGEST_NAME) {
    const what = `cluster is ${JSON.stringify(cluster)}, but must be 1 to ${LONGEST_NAME} printable ASCII characters.`;
    throw new OptionError('cluster', what);
  }
  if (!(key instanceof Uint8Array) || key.length !== KEY_SIZE) {
    const what = key instanceof Uint8Array ? `has ${key.length} bytes` : `is of type ${typeof key}`;
    throw new OptionError('key', `key ${what}, but must be a Uint8Array of ${KEY_SIZE} random bytes.`);
  }
};

/** What names a cluster, or a ticket, in the handshake. */
export const identityOf = ({ cluster }: Pick<Membership, 'cluster'>): string => `offsite/${cluster}`;

/**
 * TLS 1.3 with a key that both have (RFC 8446, PSK with (EC)DHE): it proves each side to the other before anything of ours
 * is read, and what was recorded can't be read by who gets the key later.
 *
 * - Only 1.3: TLS 1.2's PSK suites, which Node.js would offer else, have no such secrecy and show more.
 * - These suites, because a key that Node.js's `pskCallback` gives is bound to SHA-256: where only TLS_AES_256_GCM_SHA384
 *   is left, by `--tls-cipher-list` or by what OpenSSL was configured with, no key fits, and a door has no certificate
 *   either. The second is for processors that have no instructions for AES.
 * - The protocol's version goes by ALPN, so that a member of another version is told so within the handshake. A door
 *   looks at it after the key: who has none learns nothing.
 */
const COMMON = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  ALPNProtocols: [`offsite/${PROTOCOL}`],
} as const satisfies ConnectionOptions;

/** What a door's TLS server is made with. */
export const doorTls = (membership: Membership): TlsOptions => {
  const identity = identityOf(membership);
  const key = Buffer.from(membership.key);
  // For who names another cluster. Without a key, OpenSSL would look for a certificate and fail with that; so he is told
  // the same as one whose key is wrong.
  const nobodys = randomBytes(KEY_SIZE);
  return {
    ...COMMON,
    ALPNProtocols: [...COMMON.ALPNProtocols],
    pskCallback: (_socket, shown) => (shown === identity ? key : nobodys),
  };
};

/** What a door is dialled with. */
export const dialTls = (membership: Membership): ConnectionOptions => {
  const identity = identityOf(membership);
  const psk = Buffer.from(membership.key);
  return {
    ...COMMON,
    ALPNProtocols: [...COMMON.ALPNProtocols],
    pskCallback: () => ({ psk, identity }),
    // A server may answer with a certificate instead of the key, and would then need no key. None is good enough: not
    // one of a public authority, nor any if NODE_TLS_REJECT_UNAUTHORIZED says so.
    ca: [],
    rejectUnauthorized: true,
    checkServerIdentity: () => new Error('it showed a certificate, and not the key'),
  };
};

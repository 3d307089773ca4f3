import { createHash, constants as crypto, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type TlsOptions } from 'node:tls';

/** What is spoken once both sides are proved; its number grows when what a daemon and its clients say changes. */
export const ACCESS = 'offsite-access/1';
/** The exchange by which a password is proved. */
export const LOGIN = 'offsite-login/1';

/**
 * TLS 1.3 only, for keys (RFC 8446, PSK with (EC)DHE), certificates and passwords alike. These suites, because a key that
 * Node.js's `pskCallback` gives is bound to SHA-256: with another one OpenSSL would pass the key over and go on without.
 */
const COMMON = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
} as const satisfies ConnectionOptions;

/** What stands for a key where a password is going to be given: it encrypts, and proves nothing, for all the world has it. */
export const PUBLIC = {
  identity: 'offsite/login',
  key: createHash('sha256').update('offsite-login/1: this key is public').digest(),
} as const;

/** PEM texts: a certificate, its private key, and the authorities that the other side's must come from. */
export interface Certificates {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

/**
 * What a server is made with. `keyOf` gives the key that an identity names; one that names none is answered as one whose
 * key is wrong. A certificate is looked at by who has the socket: here OpenSSL only says whether it is good.
 */
export const serverTls = (
  { cert, key, ca }: Certificates,
  keyOf: (socket: object, identity: string) => Buffer | undefined,
): TlsOptions => {
  const nobodys = randomBytes(32);
  return {
    ...COMMON,
    ALPNProtocols: [ACCESS, LOGIN],
    // A session that could be had again would outlive the key or the certificate by which it began.
    secureOptions: crypto.SSL_OP_NO_TICKET,
    ...(cert === undefined ? {} : { cert, key }),
    ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false }),
    pskCallback: (socket, identity) => keyOf(socket, identity) ?? nobodys,
  };
};

/** What a server is dialled with that has to prove by a key that it is the right one. */
export const keyTls = (identity: string, psk: Uint8Array, protocol = ACCESS): ConnectionOptions => ({
  ...COMMON,
  ALPNProtocols: [protocol],
  pskCallback: () => ({ psk, identity }),
  // A server may answer with a certificate instead of the key, and would then need no key. None is good enough: not one
  // of a public authority, nor any if NODE_TLS_REJECT_UNAUTHORIZED says so.
  ca: [],
  rejectUnauthorized: true,
  checkServerIdentity: () => new Error('it showed a certificate, and not the key'),
});

/** What a server is dialled with that has to prove by a certificate that it is the right one. */
export const certificateTls = (
  { cert, key, ca }: Certificates,
  host: string,
  protocol = ACCESS,
): ConnectionOptions => ({
  ...COMMON,
  ALPNProtocols: [protocol],
  ...(cert === undefined ? {} : { cert, key }),
  ca: [ca ?? ''],
  rejectUnauthorized: true,
  servername: isIP(host) === 0 ? host : '',
  // By the names that are there for it. Else the certificate of a user whom somebody named like a host would do.
  checkServerIdentity: (name, shown) =>
    shown.subjectaltname === undefined
      ? new Error('its certificate has no subjectAltName')
      : checkServerIdentity(name, shown),
});

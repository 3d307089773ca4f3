import { type Address, written } from '../cluster/direct/address.ts';
import { OffsiteError } from '../wire/errors.ts';
import { AccessError, type AccessReason } from './errors.ts';
import type { Known } from './known-credentials.ts';
import { pathOf } from './program.ts';

/** What one attempt to come in has met. */
export interface Attempt {
  /** What is dialled, for people, without its address. */
  readonly name: string;
  readonly address: Address;
  readonly path: string;
  readonly timeout: number;
  readonly by: Known['by'];
  /** Whose key or password it is; empty for a certificate, which says it itself. */
  readonly user: string;
}

/** What the other side's certificate lacked, if that is why there is no connection; see `shakeHands`. */
export class UntrustedError extends Error {}

const WAY =
  'Let it listen on an address that this host can reach (offsite serve --host), and see to firewalls between them.';

const keyMessage = ({ name, address, user }: Attempt): string =>
  `${name} at ${written(address)} does not know this key of ${user}, or is not the daemon that does. ` +
  "Have the line of `offsite keygen` in its secret file as it is in this one's; whose line was taken out of it has no access any more.";

const passwordMessage = ({ name, address, user }: Attempt): string =>
  `${name} at ${written(address)} does not take this password of ${user}: the user or the password is wrong, or it is ` +
  'not the daemon that knows it. Try again, or set another one there with: offsite passwd USER --file FILE';

const MESSAGES: Record<AccessReason, (attempt: Attempt, cause: Error | undefined) => string> = {
  refused: ({ name, address }) =>
    `Nothing listens at ${written(address)}, where ${name} should be. Start it there with \`offsite serve\`, or see to the port.`,
  unreachable: ({ name, address, timeout }, cause) =>
    cause === undefined
      ? `${name} did not answer at ${written(address)} within ${timeout} ms: no way leads there, or it is busy. ${WAY}`
      : `${name} can not be reached at ${written(address)}: ${cause.message}. ${WAY}`,
  key: keyMessage,
  password: passwordMessage,
  certificate: ({ name, address, by }, cause) =>
    cause instanceof UntrustedError
      ? `The certificate of ${name} at ${written(address)} is not good here: ${cause.message}. ` +
        'Give the authority that it comes from (ca), and have the host under which it is dialled in its subjectAltName.'
      : by === 'certificate'
        ? `${name} at ${written(address)} does not take this certificate: it does not come from its authority (--ca), is ` +
          'not for clients, is over or names no user, or the daemon has no certificates. See docs/access.md.'
        : `${name} at ${written(address)} has no certificate, and so can not prove who it is. Leave out ca, or give it one.`,
  tls: ({ name, address, by }) =>
    by === 'nothing'
      ? `${name} at ${written(address)} lets in only those who have credentials, and there are none here. ` +
        'Put your key where `offsite keygen` would (~/.config/offsite/key), or name its file (secretFile, OFFSITE_SECRET_FILE).'
      : `${name} at ${written(address)} has no credentials (it does not speak TLS 1.3), so it can not be proved who it is. ` +
        'Start it with some (offsite serve --secret-file FILE), or give none here if it is your own on this host.',
  version: ({ name, address }) =>
    `${name} at ${written(address)} speaks another version of the protocol. Have the same version of Offsite on both sides.`,
  domain: ({ name, address, path, user }) =>
    `${name} at ${written(address)} does not let ${user || 'this user'} ask for ${pathOf({ path })}, which is of another domain. ` +
    'A key of `offsite keygen` is for use, one of `offsite keygen --admin` to steer, one of `offsite keygen --node` to serve a scheduler.',
  user: ({ name, address }) =>
    `${name} at ${written(address)} has no credentials, and so is for its own user on that host; it and this process are of ` +
    'two users. Start it with a key (offsite keygen, offsite serve --secret-file FILE), and use that.',
  stranger: ({ name, address }, cause) =>
    `What listens at ${written(address)}, where ${name} should be, is something else${cause ? ` (${cause.message})` : ''}. See to the address and the port.`,
};

/** The error of an attempt. */
export const accessFailure = (reason: AccessReason, attempt: Attempt, cause?: Error): AccessError =>
  new AccessError(reason, attempt.address, MESSAGES[reason](attempt, cause), cause && { cause });

/** The error of one who has to wait, because too many passwords were tried. */
export const tooManyGuesses = ({ name, address, user }: Attempt, wait: number): AccessError => {
  const seconds = Math.ceil(wait / 1_000);
  const what = `Too many passwords were tried for ${user} or from this host, so ${name} at ${written(address)}`;
  return new AccessError('password', address, `${what} answers none for now. Try again in ${seconds} s.`);
};

/** The error of an attempt whose time is over; `hungUp` is how often what listens there has hung up without a word. */
export const accessTooLate = (attempt: Attempt, hungUp: number, cause: Error): AccessError => {
  if (hungUp === 0) {
    const error = accessFailure('unreachable', attempt);
    return new AccessError('unreachable', attempt.address, error.message, { cause });
  }
  const { name, address, timeout } = attempt;
  const times = hungUp === 1 ? 'once' : `${hungUp} times`;
  const what = `What listens at ${written(address)} hung up ${times} within ${timeout} ms without a word`;
  const message = `${what}: it is not ${name}, or too many stand there at once. Try again, or see to the address.`;
  return new AccessError('stranger', address, message, { cause });
};

/** Which alert of TLS, by the end of Node.js's code for it, tells that a key does not fit; OpenSSL 3.0 has the second. */
const NO_SUCH_KEY = /_ALERT_(?:DECRYPT_ERROR|ILLEGAL_PARAMETER)$/;
/** What a server says that has neither the key nor a certificate, or asks for one and has got none. */
const NO_CERTIFICATE =
  /_ALERT_(?:HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN)$/;
const NO_PROTOCOL = /_ALERT_NO_APPLICATION_PROTOCOL$/;
/** It does not speak TLS, or not 1.3. */
const NO_TLS =
  /_ALERT_PROTOCOL_VERSION$|_WRONG_VERSION_NUMBER$|_UNSUPPORTED_PROTOCOL$|_PACKET_LENGTH_TOO_LONG$/;

const STATUS = /^Unexpected server response: (?<status>\d+)$/;

const reasonOfStatus = (status: string, { by }: Attempt): AccessReason => {
  if (status === '401') return by === 'nothing' ? 'user' : 'certificate';
  if (status === '403') return 'domain';
  return status === '426' && by === 'nothing' ? 'tls' : 'stranger';
};

const reasonOf = (attempt: Attempt, cause: NodeJS.ErrnoException): AccessReason => {
  const { by } = attempt;
  const code = cause.code ?? '';
  const status = STATUS.exec(cause.message)?.groups?.status;
  if (status !== undefined) return reasonOfStatus(status, attempt);
  // Who shows a certificate where a key was asked for does not have the key.
  if (cause instanceof UntrustedError) return by === 'key' ? 'key' : 'certificate';
  if (NO_SUCH_KEY.test(code)) return by === 'password' ? 'password' : 'key';
  if (NO_CERTIFICATE.test(code)) return 'certificate';
  if (NO_PROTOCOL.test(code)) return 'version';
  if (NO_TLS.test(code)) return 'tls';
  if (code === 'ECONNREFUSED') return 'refused';
  const ofTheWay =
    cause.syscall !== undefined || cause instanceof OffsiteError || cause instanceof AggregateError;
  return ofTheWay ? 'unreachable' : 'stranger';
};

/** The error of an attempt that failed before its time was over. */
export const attemptFailure = (attempt: Attempt, cause: Error): AccessError =>
  cause instanceof AccessError ? cause : accessFailure(reasonOf(attempt, cause), attempt, cause);

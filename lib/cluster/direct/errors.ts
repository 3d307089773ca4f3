import { nameError, OffsiteError } from '../../wire/errors.ts';
import { type Address, written } from './address.ts';

/** Why a member could not be dialled. */
export type DialReason = 'refused' | 'unreachable' | 'key' | 'stranger' | 'version';

const CODES: Record<DialReason, string> = {
  refused: 'ERR_OFFSITE_DIAL_REFUSED',
  unreachable: 'ERR_OFFSITE_DIAL_UNREACHABLE',
  key: 'ERR_OFFSITE_DIAL_KEY',
  stranger: 'ERR_OFFSITE_DIAL_STRANGER',
  version: 'ERR_OFFSITE_DIAL_VERSION',
};

/** A member of a cluster could not be reached at its address; `ERR_OFFSITE_DIAL_` and its reason. Nothing was called. */
export class DialError extends OffsiteError {
  /** Where it was looked for. */
  readonly address: Address;
  /**
   * `refused`: nothing listens there. `unreachable`: no way leads there, or no answer came in time. `key`: the door is
   * that of another cluster, or one of two keys is wrong. `stranger`: what listens there is no member's door. `version`:
   * it has another version of the protocol.
   */
  readonly reason: DialReason;

  constructor(reason: DialReason, address: Address, message: string, options?: ErrorOptions) {
    super(CODES[reason], message, options);
    this.reason = reason;
    this.address = address;
  }
}
nameError(DialError, 'DialError');

/** A member's door could not be opened; `ERR_OFFSITE_DOOR`. Nobody can reach it directly. */
export class DoorError extends OffsiteError {
  /** Where it should have been: `host[:port]`. */
  readonly bind: string;

  constructor(bind: string, message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_DOOR', message, options);
    this.bind = bind;
  }
}
nameError(DoorError, 'DoorError');

const DOOR_REMEDIES: Record<string, string> = {
  EADDRINUSE: 'Another program has that port; choose another one, or leave it out for any that is free.',
  EADDRNOTAVAIL: 'This host does not have that address; bind to one that it has, or to 0.0.0.0 for all.',
  EACCES: 'This user may not listen there; ports below 1024 are usually for root only.',
  ENOTFOUND: 'No such host is known here; bind to an address.',
};

/** The error of a door that could not be opened, with what is to be done. */
export const doorFailure = (bind: string, cause: NodeJS.ErrnoException): DoorError => {
  const remedy = DOOR_REMEDIES[cause.code ?? ''] ?? 'Bind to another address or port.';
  return new DoorError(bind, `No door could be opened at ${bind}: ${cause.message}. ${remedy}`, { cause });
};

/** What one attempt to dial has met. */
export interface Attempt {
  readonly name: string;
  readonly cluster: string;
  readonly address: Address;
  readonly timeout: number;
}

const REMEDY =
  'Let it bind to an address that this host can reach, see to firewalls between them, or reach it through the parent.';

/** The error of a dial whose time is over; `hungUp` is how often what listens there has hung up, 0 if at last it said nothing. */
export const tooLate = ({ name, address, timeout }: Attempt, hungUp: number, cause: unknown): DialError => {
  const at = written(address);
  if (hungUp > 0) {
    const times = hungUp === 1 ? 'once' : `${hungUp} times`;
    const what = `What listens at ${at} hung up ${times} within ${timeout} ms before it had shown the cluster's key`;
    const why = `it is not ${name}'s door, or too many stand there at once`;
    return new DialError('stranger', address, `${what}: ${why}. Try again, or ask for its address again.`, {
      cause,
    });
  }
  const message = `${name} did not answer at ${at} within ${timeout} ms: no way leads there, or it is busy. ${REMEDY}`;
  return new DialError('unreachable', address, message, { cause });
};

/** Whether a dial met somebody who hung up before he had said anything, as doors do to a crowd. */
export const hasHungUp = (cause: NodeJS.ErrnoException): boolean =>
  cause.code === 'ECONNRESET' || cause.code === 'EPIPE';

/**
 * Which alert tells what, by the end of the code that Node.js makes of it. A door whose key is another one finds that
 * what it is shown does not fit: `decrypt_error`, and `illegal_parameter` from OpenSSL 3.0 (Node.js 20).
 */
const ALERTS: readonly (readonly [RegExp, DialReason])[] = [
  [/_ALERT_(?:DECRYPT_ERROR|ILLEGAL_PARAMETER)$/, 'key'],
  [/_ALERT_NO_APPLICATION_PROTOCOL$/, 'version'],
];

const reasonOf = (cause: NodeJS.ErrnoException): DialReason => {
  if (cause.code === 'ECONNREFUSED') return 'refused';
  // The operating system's, and ours: lost behind the handshake.
  if (cause.syscall !== undefined || cause instanceof OffsiteError || cause instanceof AggregateError)
    return 'unreachable';
  return ALERTS.find(([code]) => code.test(cause.code ?? ''))?.[1] ?? 'stranger';
};

/** The error of a dial that failed before its time was over. */
export const dialFailure = ({ name, cluster, address }: Attempt, cause: NodeJS.ErrnoException): DialError => {
  const at = written(address);
  const reason = reasonOf(cause);
  const messages: Record<DialReason, string> = {
    refused:
      `Nothing listens at ${at}, where ${name} should be: its process has ended, or its door was closed. ` +
      'Ask for its address again.',
    unreachable: `${name} can not be reached at ${at}: ${cause.message}. ${REMEDY}`,
    key:
      `The door at ${at}, where ${name} should be, has not the key of cluster ${cluster}: it is another cluster's, ` +
      'or one of both keys is wrong. Give all members the name and the key of the same cluster.',
    stranger:
      `What listens at ${at}, where ${name} should be, is not the door of a member (${cause.message}). ` +
      'Ask for its address again.',
    version:
      `${name} at ${at} is of the same cluster, but speaks another version of the protocol. ` +
      'Have the same version of Offsite in all members.',
  };
  return new DialError(reason, address, messages[reason], { cause });
};

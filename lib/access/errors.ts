import type { Address } from '../cluster/direct/address.ts';
import { nameError, OffsiteError } from '../wire/errors.ts';

/** Why a daemon or a scheduler did not let this process in. */
export type AccessReason =
  | 'refused'
  | 'unreachable'
  | 'key'
  | 'password'
  | 'certificate'
  | 'tls'
  | 'version'
  | 'domain'
  | 'user'
  | 'stranger';

/** A daemon or a scheduler was not reached, or let nobody in; `ERR_OFFSITE_ACCESS_` and its reason. Nothing was asked of it. */
export class AccessError extends OffsiteError {
  /** Where it was looked for. */
  readonly address: Address;
  /**
   * `refused`: nothing listens there. `unreachable`: no way leads there, or no answer came in time. `key`, `password`,
   * `certificate`: what was shown is not known there, or what it showed is not known here. `tls`: one side has
   * credentials and the other has none. `version`: it has another version of the protocol. `domain`: the user may not
   * steer it. `user`: without credentials, it is for another user of this host. `stranger`: what listens there is
   * something else.
   */
  readonly reason: AccessReason;

  constructor(reason: AccessReason, address: Address, message: string, options?: ErrorOptions) {
    super(`ERR_OFFSITE_ACCESS_${reason.toUpperCase()}`, message, options);
    this.reason = reason;
    this.address = address;
  }
}
nameError(AccessError, 'AccessError');

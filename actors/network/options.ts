import * as v from 'valibot';
import type { Credentials } from '../../lib/access/credentials.ts';
import { DEFAULT_MAILBOX } from '../../lib/cluster/messages/mailbox.ts';
import type { MailboxBounds } from '../../lib/cluster/messages/protocol.ts';
import { checked, count } from '../cluster/check.ts';
import type { ClusterOptions } from '../cluster/options.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';

/** How many processes of a host do elements of arrays: a number from 1 on, or as many as it has processors. */
export type LocalJobs = number | 'auto';

/** How a network is to be; everything has a default. */
export interface NetworkOptions {
  /** As it is called in messages and in the tree. @default that of a cluster */
  readonly name?: string;
  /** What daemons know this client by; only for hosts of the fork method 'daemon'. @default see Credentials */
  readonly credentials?: Credentials;
  /** How many processes of each host do elements of arrays, the node among them; 0 is 'auto', as in Octave. @default 1 */
  readonly nlocaljobs?: LocalJobs;
  /** What a node keeps of each other node that it has not read. @default 1000 messages, 64 MiB */
  readonly mailbox?: Partial<MailboxBounds>;
  /** What is said of all sites; what a host says of its own goes before it. @default nothing */
  readonly site?: RemoteManagerOptions;
  /** Makes the line that is printed here of one that a node printed. @default that of a cluster */
  readonly output?: NonNullable<ClusterOptions['output']>;
  /** Aborting it while nodes start ends those that have, and rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The same, checked and complete. */
export interface CheckedNetworkOptions extends NetworkOptions {
  readonly nlocaljobs: LocalJobs;
  readonly mailbox: MailboxBounds;
  readonly site: RemoteManagerOptions;
}

const sentence = "must be a whole number from 1 on, 0 or 'auto'";
const schema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  credentials: v.optional(v.looseObject({})),
  nlocaljobs: v.optional(
    v.union([v.literal('auto'), v.pipe(v.number(), v.integer(), v.minValue(0))], sentence),
    1,
  ),
  mailbox: v.optional(
    v.strictObject({
      messages: v.optional(count(), DEFAULT_MAILBOX.messages),
      bytes: v.optional(count(), DEFAULT_MAILBOX.bytes),
    }),
    DEFAULT_MAILBOX,
  ),
  // Checked by each host's RemoteManager.
  site: v.optional(v.looseObject({}), {}),
  output: v.optional(v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function')),
  signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
});

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkNetworkOptions = (options: NetworkOptions): CheckedNetworkOptions =>
  checked(schema, options, 'a Network') as CheckedNetworkOptions;

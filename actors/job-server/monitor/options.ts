import { isIP } from 'node:net';
import * as v from 'valibot';
import { OptionError } from '../../../lib/wire/errors.ts';
import { checked } from '../../cluster/check.ts';

/** How the monitor of a job server is to be; everything has a default. */
export interface MonitorOptions {
  /** @default any that is free */
  port?: number;
  /** The address of this host on which it listens; one beyond loopback needs a certificate. @default '127.0.0.1' */
  host?: string;
  /** Its certificate and the private key of that (PEM files): it is then reached by https. @default none */
  certfile?: string;
  keyfile?: string;
  /** Lets it listen beyond loopback without a certificate: whoever sees the traffic learns the token. @default false */
  insecure?: boolean;
  /** Further names by which browsers reach it, for instance that of a proxy. @default those of the certificate */
  hostnames?: readonly string[];
  /** The file of a token that stays the same; it is written if it is not there. @default a new token each time */
  tokenFile?: string;
  /** Whether arguments of jobs are shown. @default false */
  showArgs?: boolean;
  /** How often viewers are told what has changed, in milliseconds, from 20 up. @default 1000 */
  every?: number;
}

const DEFAULTED = ['port', 'host', 'insecure', 'hostnames', 'showArgs', 'every'] as const;

/** The same, checked and complete. */
export type CheckedMonitorOptions = MonitorOptions &
  Required<Pick<MonitorOptions, (typeof DEFAULTED)[number]>>;

const path = v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')));
const PORTS = 'must be a whole number from 0 to 65535';

const schema = v.strictObject({
  port: v.optional(
    v.pipe(v.number(PORTS), v.integer(PORTS), v.minValue(0, PORTS), v.maxValue(65_535, PORTS)),
    0,
  ),
  host: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')), '127.0.0.1'),
  certfile: path,
  keyfile: path,
  insecure: v.optional(v.boolean(), false),
  hostnames: v.optional(v.array(v.pipe(v.string(), v.nonEmpty('must not be empty'))), []),
  tokenFile: path,
  showArgs: v.optional(v.boolean(), false),
  every: v.optional(
    v.pipe(
      v.number(),
      v.minValue(20, 'must be 20 ms or more'),
      v.maxValue(3_600_000, 'must be an hour or less'),
    ),
    1_000,
  ),
});

/** Whether only this host reaches an address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkMonitorOptions = (options: MonitorOptions): CheckedMonitorOptions => {
  const found = checked(schema, options, 'a monitor') as CheckedMonitorOptions;
  const { host, certfile, keyfile, insecure } = found;
  if ((certfile === undefined) !== (keyfile === undefined)) {
    const missing = certfile === undefined ? 'certfile' : 'keyfile';
    throw new OptionError(missing, 'A monitor has a certfile and its keyfile, or neither.');
  }
  if (!isLoopback(host) && certfile === undefined && !insecure) {
    throw new OptionError(
      'host',
      `A monitor does not listen at ${host} without a certificate, because whoever sees the traffic could then cancel jobs: give certfile and keyfile, or leave out host and come by "ssh -L", or set insecure if you trust that network.`,
    );
  }
  return found;
};

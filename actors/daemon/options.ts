import { statSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { AccessFiles, Credentials } from '../../lib/access/credentials.ts';
import { DAEMON_PORT } from '../../lib/access/dial.ts';
import { type Address, checkAddress, parseBind } from '../../lib/cluster/direct/address.ts';
import { faultOfHours, type ServiceHours } from '../../lib/daemon/service-hours.ts';
import { isRecord } from '../../lib/fork/elastic/is-record.ts';
import { OptionError } from '../../lib/wire/errors.ts';

export type { ServiceHours } from '../../lib/daemon/service-hours.ts';

/** A scheduler that a daemon dials. */
export interface DialledScheduler {
  readonly address: Address;
  /** How the daemon shows it who it is. @default the key file of this user */
  readonly credentials?: Credentials;
}

/** How a daemon serves. */
export interface DaemonOptions {
  /**
   * Where it listens: addresses of this host. @default with `access` all of them; without it only loopback, 127.0.0.1
   * and [::1]
   */
  readonly host?: readonly string[];
  /** @default 35000; 0 is any that is free, the same one at all addresses */
  readonly port?: number;
  /** The addresses that clients are told, `host[:port]`, where a router forwards the port (NAT); in the order of `host`. */
  readonly extIpAddr?: readonly string[];
  /** As people call it. @default the host's name */
  readonly name?: string;
  /** What clients can ask for when they place jobs. */
  readonly labels?: Readonly<Record<string, string>>;
  /** How many sites it has at most; less than 0 leaves so many processors alone. @default the number of processors */
  readonly cpus?: number;
  /** What clients are known by. @default nothing: then it listens on loopback only */
  readonly access?: AccessFiles;
  /** Where sites have their folders. @default a folder of its own in the system's for temporary files */
  readonly destPathPrefix?: string;
  /** The largest file that a job may send or fetch, in bytes. @default no bound */
  readonly maxFileSize?: number;
  /** A client who gives no sign of life for so long loses its sites, in milliseconds. @default an hour */
  readonly zombieInterval?: number;
  /** How long a client may take for what it begins to say, in milliseconds. @default 10 s */
  readonly msgTimeout?: number;
  /** Outside of them it starts nothing, and ends what runs. @default it always serves */
  readonly serviceHours?: ServiceHours;
  /** It ends after so many clients that had sites have gone; 0 is at once. @default it never does */
  readonly serve?: number;
  /** It ends when it has had no client for so long, in milliseconds. @default it never does */
  readonly idleExit?: number;
  /** Whether a job server is to have a fresh site for each job. @default false */
  readonly restartWorkers?: boolean;
  /** A module whose `init()` runs in each site before anything else, and `close()` when it ends. */
  readonly init?: string;
  /** The user, or user:group, as whom sites run; only for a daemon of root. @default the daemon's own */
  readonly uid?: string;
  /** Schedulers that are dialled, so that this node serves there too and needs no open port. */
  readonly scheduler?: readonly DialledScheduler[];
}

/** The same, checked and complete. */
export interface CheckedDaemonOptions
  extends Omit<DaemonOptions, 'host' | 'extIpAddr' | 'port' | 'cpus' | 'serve'> {
  /** Nothing if nobody has said where. */
  readonly host: readonly Address[] | undefined;
  readonly extIpAddr: readonly Address[];
  readonly port: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly access: AccessFiles;
  readonly zombieInterval: number;
  readonly msgTimeout: number;
  readonly serve: number;
  readonly restartWorkers: boolean;
  readonly scheduler: readonly Required<DialledScheduler>[];
}

const LONGEST_TIMER = 2 ** 31 - 1;
const file = v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')));
const time = (least: number) =>
  v.pipe(
    v.number('must be a number'),
    v.minValue(least, `must be ${least} ms or more`),
    v.maxValue(LONGEST_TIMER, 'must be below 2^31 milliseconds'),
  );
const whole = (least: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be ${least} or more`),
    v.maxValue(Number.MAX_SAFE_INTEGER),
  );
const texts = v.pipe(v.array(v.string()), v.minLength(1, 'must not be empty'));

const isDialled = (value: unknown): boolean => {
  try {
    checkAddress(value as Address);
    return true;
  } catch {
    return false;
  }
};

const credentials = v.optional(
  v.custom<Credentials>((value) => isRecord(value), 'must be credentials, as of a RemoteManager'),
  {},
);

const schema = v.strictObject({
  host: v.optional(texts),
  port: v.optional(v.pipe(whole(0), v.maxValue(65_535, 'must be 65535 or less')), DAEMON_PORT),
  extIpAddr: v.optional(v.array(v.string()), []),
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty')), () => hostname()),
  labels: v.optional(v.record(v.string(), v.string('must be a text')), {}),
  cpus: v.optional(v.pipe(v.number('must be a number'), v.integer('must be a whole number'))),
  access: v.optional(
    v.strictObject({ secretFile: file, certfile: file, keyfile: file, ca: file, passwordFile: file }),
    {},
  ),
  destPathPrefix: file,
  maxFileSize: v.optional(whole(1)),
  zombieInterval: v.optional(time(100), 3_600_000),
  msgTimeout: v.optional(time(10), 10_000),
  serviceHours: v.optional(
    v.strictObject({ start: v.string(), stop: v.optional(v.string()), end: v.string(), timeZone: file }),
  ),
  serve: v.optional(whole(0)),
  idleExit: v.optional(time(1)),
  restartWorkers: v.optional(v.boolean('must be true or false'), false),
  init: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  uid: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  scheduler: v.optional(
    v.array(
      v.strictObject({ address: v.custom<Address>(isDialled, 'must have a host and a port'), credentials }),
    ),
    [],
  ),
});

const fault = (option: string, what: string): OptionError =>
  new OptionError(option, `The option ${option} of a Daemon is not right: ${what}.`);

/** How many slots are meant; throws OptionError. */
export const slotsOf = (cpus: number | undefined): number => {
  const all = availableParallelism();
  if (cpus === undefined) return all;
  if (!Number.isSafeInteger(cpus)) throw fault('cpus', `it is ${cpus}, but must be a whole number`);
  if (cpus >= 0) return cpus;
  if (all + cpus > 0) return all + cpus;
  throw fault('cpus', `it is ${cpus}, which leaves none of the ${all} processors of this host for sites`);
};

const addressOf = (option: string, text: string): Address => {
  if (isIPv6(text)) return { host: text, port: 0 };
  try {
    return parseBind(text);
  } catch {
    throw fault(
      option,
      `${JSON.stringify(text)} is no address; write host[:port], IPv6 with a port in brackets`,
    );
  }
};

const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkDaemonOptions = (options: DaemonOptions): CheckedDaemonOptions => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'options';
    if (issue.type === 'strict_object' && issue.expected === 'never') {
      throw new OptionError(option, `There is no option "${option}" for a Daemon.`);
    }
    throw fault(option, issue.message);
  }
  const { host, extIpAddr, cpus, init, serviceHours, serve, ...rest } = result.output;
  const wrong = serviceHours && faultOfHours(serviceHours as ServiceHours);
  if (wrong) throw fault(`serviceHours.${wrong.field}`, `it ${wrong.what}`);
  if (host && extIpAddr.length > host.length) {
    throw fault('extIpAddr', `it has ${extIpAddr.length} addresses for ${host.length} of host`);
  }
  if (init !== undefined && !isFile(init)) throw fault('init', `there is no file ${resolve(init)}`);
  return {
    ...rest,
    ...(serviceHours && { serviceHours }),
    ...(init !== undefined && { init: resolve(init) }),
    host: host?.map((text) => addressOf('host', text)),
    extIpAddr: extIpAddr.map((text) => addressOf('extIpAddr', text)),
    cpus: slotsOf(cpus),
    serve: serve ?? Number.POSITIVE_INFINITY,
  } as CheckedDaemonOptions;
};

import type { DaemonOptions, ServiceHours } from '../../../actors/daemon/options.ts';
import { SCHEDULER_PORT } from '../../../actors/scheduler.ts';
import type { AccessFiles } from '../../access/credentials.ts';
import { type Address, parseBind } from '../../cluster/direct/address.ts';
import { OptionError } from '../../wire/errors.ts';
import { UsageError } from '../report.ts';
import { type ServeConfig, SIZE, TIME } from './schema.ts';

const MINUTE = 60_000;
const SECOND = 1_000;
const UNITS = 'kmgt';

/** A size in bytes; 0 stands for no bound, as in dispynode. */
const bytesOf = (size: string | number): number | undefined => {
  const [, digits, unit] = SIZE.exec(String(size))!;
  const bytes = Number(digits) * 1024 ** (unit ? UNITS.indexOf(unit.toLowerCase()) + 1 : 0);
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `The option --max-file-size is ${size}, which is larger than any file.`,
      'Leave it out for no bound',
    );
  }
  return bytes === 0 ? undefined : bytes;
};

const timeOf = (text: string): string => {
  const [, hour, minute] = TIME.exec(text)!;
  return `${hour!.padStart(2, '0')}:${minute}`;
};

const hoursOf = (config: ServeConfig): ServiceHours | undefined => {
  const { 'service-start': start, 'service-stop': stop, 'service-end': end, 'time-zone': timeZone } = config;
  const given = Object.entries({ 'service-stop': stop, 'time-zone': timeZone }).find(([, value]) => value);
  if (start === undefined && end === undefined && given === undefined) return undefined;
  if (start === undefined || end === undefined) {
    const missing = start === undefined ? 'service-start' : 'service-end';
    const there = start !== undefined ? 'service-start' : end !== undefined ? 'service-end' : given![0];
    throw new UsageError(
      `The option --${there} is given, but --${missing} is not.`,
      'Give both ends of the hours: --service-start 17:00 --service-end 08:00',
    );
  }
  return {
    start: timeOf(start),
    ...(stop !== undefined && { stop: timeOf(stop) }),
    end: timeOf(end),
    ...(timeZone !== undefined && { timeZone }),
  };
};

const schedulerOf = (text: string): { address: Address } => {
  try {
    const { host, port } = parseBind(text);
    return { address: { host, port: port || SCHEDULER_PORT } };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new UsageError(
      `The option --scheduler-host is ${JSON.stringify(text)}, but must be HOST[:PORT].`,
      'For example --scheduler-host gate:35100',
    );
  }
};

const accessOf = (config: ServeConfig): AccessFiles | undefined => {
  const files: AccessFiles = {
    ...(config['secret-file'] !== undefined && { secretFile: config['secret-file'] }),
    ...(config.certfile !== undefined && { certfile: config.certfile }),
    ...(config.keyfile !== undefined && { keyfile: config.keyfile }),
    ...(config.ca !== undefined && { ca: config.ca }),
    ...(config['password-file'] !== undefined && { passwordFile: config['password-file'] }),
  };
  return Object.keys(files).length > 0 ? files : undefined;
};

/** Leaves out what was not said. */
const said = <T extends object>(values: T): { [Key in keyof T]: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;

/** What a daemon is opened with, of what its user said. Throws a `UsageError` for options that don't go together. */
export const daemonOptionsOf = (config: ServeConfig): DaemonOptions => {
  const inUnits = (value: number | undefined, unit: number) => value && Math.round(value * unit);
  return said({
    host: config.host,
    port: config.port,
    extIpAddr: config['ext-ip-addr'],
    name: config.name,
    labels: config.label,
    cpus: config.cpus,
    access: accessOf(config),
    destPathPrefix: config['dest-path-prefix'],
    maxFileSize: config['max-file-size'] === undefined ? undefined : bytesOf(config['max-file-size']),
    zombieInterval: inUnits(config['zombie-interval'], MINUTE),
    msgTimeout: inUnits(config['msg-timeout'], SECOND),
    serviceHours: hoursOf(config),
    serve: config.serve === -1 ? undefined : config.serve,
    idleExit: inUnits(config['idle-exit'], SECOND),
    restartWorkers: config['restart-workers'],
    init: config.init,
    uid: config.uid === undefined ? undefined : String(config.uid),
    scheduler: config['scheduler-host']?.map(schedulerOf),
  });
};

import type { ArgsDef } from 'citty';
import { ControlError } from '../../../actors/control/errors.ts';
import { type SteeredDaemon, steeredDaemons } from '../../../actors/daemon/control-sockets.ts';
import { type SteeredControl, steerLocal, steerRemote } from '../../../actors/daemon/steer.ts';
import type { Credentials } from '../../access/credentials.ts';
import { DAEMON_PORT } from '../../access/dial.ts';
import { type Address, parseBind } from '../../cluster/direct/address.ts';
import { numberOf, type Parsed } from '../command.ts';
import { UsageError } from '../report.ts';
import { printable } from './columns.ts';

/** The options that say which daemon is meant. */
export const DAEMON = {
  port: { type: 'string', alias: 'p', valueHint: 'N', description: 'The daemon with this port' },
  name: { type: 'string', valueHint: 'NAME', description: 'The daemon of this name on this host' },
  host: { type: 'string', valueHint: 'HOST[:PORT]', description: 'A daemon elsewhere (default: here)' },
  'secret-file': {
    type: 'string',
    valueHint: 'FILE',
    description: 'With --host: a key of the domain admin, that only you can read',
  },
  certfile: { type: 'string', valueHint: 'FILE', description: 'With --host: your certificate (PEM)' },
  keyfile: { type: 'string', valueHint: 'FILE', description: 'With --host: its private key (PEM)' },
  ca: { type: 'string', valueHint: 'FILE', description: "With --host: the authorities of that daemon's" },
} as const satisfies ArgsDef;

const textOf = (parsed: Parsed, option: string): string | undefined => {
  const value = parsed.args[option];
  return typeof value === 'string' ? value : undefined;
};

const portOf = (parsed: Parsed): number | undefined => {
  const port = numberOf(parsed, 'port', { least: 1, whole: true });
  if (port === undefined || port < 65_536) return port;
  throw new UsageError(`The option --port is ${port}, which is no port.`, 'Ports go from 1 to 65535');
};

const addressOf = (host: string, port = DAEMON_PORT): Address => {
  try {
    const address = parseBind(host);
    return address.port > 0 ? address : { ...address, port };
  } catch {
    throw new UsageError(
      `The option --host is ${JSON.stringify(host)}, but must be HOST[:PORT].`,
      'For example --host bamse:35000, or --host [::1]:35000',
    );
  }
};

const CREDENTIALS = {
  'secret-file': 'secretFile',
  certfile: 'certfile',
  keyfile: 'keyfile',
  ca: 'ca',
} as const;

/** By what somebody shows a daemon elsewhere who he is; `undefined` if nothing was said. */
const credentialsOf = (parsed: Parsed): Credentials | undefined => {
  const given = Object.entries(CREDENTIALS).flatMap(([option, field]) => {
    const file = textOf(parsed, option);
    return file === undefined ? [] : [[field, file] as const];
  });
  return given.length > 0 ? Object.fromEntries(given) : undefined;
};

/** A daemon here; one that does not answer has no name. */
interface Named extends SteeredDaemon {
  readonly name: string | undefined;
}

const named = async (daemons: readonly SteeredDaemon[], signal: AbortSignal): Promise<Named[]> => {
  const all = await Promise.all(
    daemons.map(async (daemon) => {
      const asked = steerLocal(daemon).status({ signal });
      return { ...daemon, name: await asked.then(({ name }) => name).catch(() => undefined) };
    }),
  );
  signal.throwIfAborted();
  return all;
};

const listed = (daemons: readonly Named[]): string =>
  daemons
    .map(
      ({ name = 'one that does not answer', port, pid }) => `${printable(name)} (port ${port}, pid ${pid})`,
    )
    .join(', ');

const localDaemon = async (parsed: Parsed, signal: AbortSignal): Promise<SteeredControl> => {
  const [port, name] = [portOf(parsed), textOf(parsed, 'name')];
  const here = steeredDaemons();
  // Of one or none nothing has to be asked.
  if (here.length < 2 && port === undefined && name === undefined) return steerLocal();
  const all = await named(here, signal);
  const meant = all.filter(
    (daemon) => (port ?? daemon.port) === daemon.port && (name === undefined || daemon.name === name),
  );
  const [one, ...more] = meant;
  if (one && more.length === 0) return steerLocal({ pid: one.pid, port: one.port });
  if (one) {
    throw new UsageError(
      `${meant.length} daemons of yours serve here: ${listed(meant)}.`,
      `Say which one is meant: --port ${one.port}`,
    );
  }
  if (all.length === 0) return steerLocal({ ...(port !== undefined && { port }) });
  const which = [port !== undefined && `the port ${port}`, name !== undefined && `the name ${name}`];
  throw new ControlError(
    printable(`No daemon of yours here has ${which.filter(Boolean).join(' and ')}. There is ${listed(all)}.`),
  );
};

/**
 * The daemon that a command line is about. Rejects with a `UsageError` if several may be meant, with ControlError if there
 * is none, or with the signal's reason.
 */
export const reach = async (parsed: Parsed, signal: AbortSignal): Promise<SteeredControl> => {
  const host = textOf(parsed, 'host');
  const credentials = credentialsOf(parsed);
  if (host !== undefined) {
    if (textOf(parsed, 'name') !== undefined) {
      throw new UsageError(
        'The option --name is for daemons on this host.',
        'Leave it out, or leave --host out',
      );
    }
    return steerRemote(addressOf(host, portOf(parsed)), credentials);
  }
  if (credentials) {
    throw new UsageError(
      'Credentials were given, but not for which host.',
      'Say which: --host bamse; a daemon of yours on this host needs none',
    );
  }
  return localDaemon(parsed, signal);
};

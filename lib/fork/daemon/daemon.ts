import { PassThrough } from 'node:stream';
import type { Credentials } from '../../access/credentials.ts';
import { DAEMON_PORT, type Dialled, dial } from '../../access/dial.ts';
import { asThisProgram } from '../../access/program.ts';
import { OffsiteError, OptionError } from '../../wire/errors.ts';
import { StreamLink } from '../../wire/link/stream-link.ts';
import { bootEngine } from '../boot.ts';
import { engineFile } from '../engine-file.ts';
import { ForkError, type ForkStep } from '../errors.ts';
import type { Fork, ForkedSite, ForkRequest, SiteDeath } from '../fork-method.ts';
import { parseHost } from '../host.ts';
import { LineReader } from '../lines.ts';
import type { Refusal } from './messages.ts';
import { SiteChannel } from './site-channel.ts';

/** A site that is cut off ends after this part of the time that its manager bears it, so that it is gone before another. */
const ENDS_AT = 0.75;
/** How long a process may take to be gone after SIGKILL was sent, in milliseconds, before the connection is dropped. */
const KILLED_WITHIN = 1_000;
/** How long a bridge may take to pass on the last bytes and end, in milliseconds. */
const LET_GO_WITHIN = 1_000;

const STEPS: Record<Refusal, ForkStep> = {
  busy: 'busy',
  draining: 'busy',
  closed: 'busy',
  request: 'engine',
  failed: 'engine',
};

/** Where a daemon listens that is named as a host, and as whom one goes there. */
export const daemonAt = (host: string, credentials: Credentials = {}) => {
  const { user, host: name, port = DAEMON_PORT } = parseHost(host);
  const address = { host: name, port };
  return { address, credentials: { ...credentials, ...(user !== undefined && { user }) } };
};

const unreachable = (name: string, cause: unknown): unknown => {
  if (!(cause instanceof OffsiteError) || cause instanceof OptionError) return cause;
  const { message, remedy = '' } = cause as OffsiteError & { remedy?: string };
  const what = remedy === '' ? message : message.replace(` ${remedy}`, '');
  return new ForkError(name, { step: 'connect', what, remedy, cause });
};

const startOf = ({ name, execArgv, nodePath, order, cwd, node, unreachableTimeout }: ForkRequest) => {
  const { hash, bytes } = engineFile();
  const endAfter = unreachableTimeout * ENDS_AT;
  return {
    name,
    engine: { hash, size: bytes.length },
    execArgv,
    folder: cwd ?? process.cwd(),
    ...(nodePath !== undefined && { nodePath }),
    ...(node !== undefined && { node }),
    ...(order && { bridge: true }),
    ...(endAfter !== Infinity && { endAfter }),
  };
};

/** Has the daemon start the process; rejects with ForkError, or with the signal's reason. */
const spawned = (channel: SiteChannel<'daemon'>, request: ForkRequest): Promise<void> =>
  new Promise((resolve, reject) => {
    const { name, host, signal } = request;
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => signal.removeEventListener('abort', abort);
    void channel.closed.then((cause) => {
      settle();
      const what = `the daemon at ${host} hung up before it had started anything.`;
      reject(new ForkError(name, { step: 'connect', what, remedy: 'See its log, and try again.', cause }));
    });
    channel.listen((message) => {
      settle();
      if ('spawned' in message) return resolve();
      if (!('refused' in message)) return channel.drop();
      const { why, what, remedy } = message.refused;
      reject(
        new ForkError(name, { step: STEPS[why], what: `the daemon at ${host} refused: ${what}`, remedy }),
      );
    });
    channel.say({ start: startOf(request) });
  });

/**
 * A process on a machine where `offsite serve` waits: it starts it there and hands on its bytes. What a client asks for
 * is an engine, so nothing else can be run by it.
 */
export const daemon: Fork = async (request) => {
  const { name, host, signal, timeout, onLine } = request;
  const { address, credentials } = daemonAt(host, request.credentials);
  let dialled: Dialled;
  try {
    dialled = await dial(address, { path: asThisProgram('/site'), credentials, timeout, signal });
  } catch (cause) {
    throw signal.aborted ? signal.reason : unreachable(name, cause);
  }
  const channel: SiteChannel<'daemon'> = new SiteChannel(dialled.socket, () => channel.say({ end: true }));
  const { bytes } = channel;
  const noise = new PassThrough();
  const lines = new LineReader(noise, onLine);
  let tell!: (death: SiteDeath) => void;
  const exited = new Promise<SiteDeath>((resolve) => {
    tell = resolve;
  });
  const died = (exitCode: number | null, killedBy: NodeJS.Signals | null) =>
    // What it said last is read in the next turn.
    setImmediate(() => tell({ exitCode, signal: killedBy, stderr: [...lines.tail] }));
  try {
    await spawned(channel, request);
  } catch (cause) {
    channel.drop();
    throw cause;
  }
  void channel.closed.then(() => died(null, null));
  channel.listen((message) => {
    if ('noise' in message) noise.write(message.noise);
    else if ('exit' in message) died(message.exit.exitCode, message.exit.signal);
    else channel.drop();
  });
  const drop = () => channel.drop();
  const kill = async (by: 'SIGTERM' | 'SIGKILL', within: number) => {
    channel.say({ signal: by });
    if (by === 'SIGTERM') return;
    // The daemon ends it when the connection is gone; what nobody reads may hold up the word.
    const late = setTimeout(drop, within);
    await exited;
    clearTimeout(late);
  };
  const { errand } = await bootEngine(
    { input: bytes, output: bytes, lines, exited, end: () => void kill('SIGKILL', KILLED_WITHIN) },
    request,
  );
  const link = new StreamLink(bytes, bytes);
  link.unref();
  const leave = async () => {
    bytes.end();
    const late = setTimeout(drop, LET_GO_WITHIN);
    await exited;
    clearTimeout(late);
  };
  const site: ForkedSite = {
    method: 'daemon',
    link,
    pid: process.pid,
    heardAt: () =>
      lines.beats ? Math.max(lines.heardAt, link.heardAt) : Math.max(channel.heardAt, link.heardAt),
    exited,
    ...(errand && { errand, leave }),
    kill: (by) => kill(by, KILLED_WITHIN),
    abandon: async () => {
      channel.say({ signal: 'SIGKILL' });
      channel.drop();
    },
    // The daemon does that.
    sweep: async () => {},
  };
  return site;
};

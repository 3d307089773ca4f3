import { connect } from 'node:net';
import type { Credentials } from '../../lib/access/credentials.ts';
import { dial } from '../../lib/access/dial.ts';
import { asThisProgram } from '../../lib/access/program.ts';
import { type Address, written } from '../../lib/cluster/direct/address.ts';
import { checkPrivateRoot } from '../../lib/ticket/folder.ts';
import { whenAborted } from '../../lib/wire/call/when-aborted.ts';
import { OffsiteError } from '../../lib/wire/errors.ts';
import { ControlError } from '../control/errors.ts';
import { firstLine } from '../control/lines.ts';
import { type SteeredDaemon, steeredDaemons } from './control-sockets.ts';
import type { ClientLine, DaemonStatus } from './status.ts';
import type { Answer, Question } from './steering.ts';

/** The longest answer, in bytes. */
const LONGEST_ANSWER = 16 * 2 ** 20;
/** How long a daemon may take for what it can answer at once, in milliseconds. */
const ANSWER_WITHIN = 10_000;

/** What gives a wait up. */
export interface SteerOptions {
  readonly signal?: AbortSignal;
}

/**
 * A daemon that runs somewhere else. All reject with the daemon's own error (by its code), with ControlError if it does not
 * answer, with AccessError if it does not let one in, or with the signal's reason.
 */
export interface SteeredControl {
  /** Which daemon it is, for people. */
  readonly name: string;
  status(options?: SteerOptions): Promise<DaemonStatus>;
  clients(options?: SteerOptions): Promise<readonly ClientLine[]>;
  /** Resolves when all of its sites have ended; who gives the wait up has drained it all the same. */
  drain(options?: SteerOptions): Promise<void>;
  resume(options?: SteerOptions): Promise<void>;
  setCpus(cpus: number, options?: SteerOptions): Promise<void>;
  /** Resolves when its sites have ended, and nobody comes in any more. */
  stop(options?: SteerOptions & { readonly now?: boolean }): Promise<void>;
}

/** An answer that is no error. */
interface Answered {
  readonly status?: DaemonStatus;
  readonly clients?: readonly ClientLine[];
  readonly done?: true;
}

/** Says one text to a daemon and gives what it answers. */
type Say = (text: string, signal: AbortSignal) => Promise<string>;

const controlBy = (name: string, say: Say): SteeredControl => {
  const ask = async (
    question: Question,
    { signal }: SteerOptions = {},
    within?: number,
  ): Promise<Answered> => {
    signal?.throwIfAborted();
    const given = new AbortController();
    const unlisten = signal && whenAborted(signal, () => given.abort(signal.reason));
    const late =
      within === undefined
        ? undefined
        : setTimeout(() => {
            given.abort(
              new ControlError(`${name} did not answer within ${within} ms. See whether it stands still.`),
            );
          }, within);
    let answer: Answer;
    try {
      answer = JSON.parse(await say(JSON.stringify(question), given.signal)) as Answer;
    } catch (cause) {
      if (given.signal.aborted) throw given.signal.reason;
      if (cause instanceof OffsiteError) throw cause;
      throw new ControlError(`${name} could not be asked: ${(cause as Error).message}`, { cause });
    } finally {
      clearTimeout(late);
      unlisten?.();
    }
    if ('error' in answer) throw new OffsiteError(answer.error.code, answer.error.message);
    return answer;
  };
  return {
    name,
    status: async (options) => (await ask({ ask: 'status' }, options, ANSWER_WITHIN)).status!,
    clients: async (options) => (await ask({ ask: 'clients' }, options, ANSWER_WITHIN)).clients!,
    drain: async (options) => void (await ask({ do: 'drain' }, options)),
    resume: async (options) => void (await ask({ do: 'resume' }, options, ANSWER_WITHIN)),
    setCpus: async (cpus, options) => void (await ask({ do: 'setCpus', cpus }, options, ANSWER_WITHIN)),
    stop: async ({ now = false, ...options } = {}) => void (await ask({ do: 'stop', now }, options)),
  };
};

const sayTo =
  (path: string): Say =>
  async (text, signal) => {
    const socket = connect(path);
    const unlisten = whenAborted(signal, () => socket.destroy());
    try {
      socket.write(`${text}\n`);
      return await firstLine(socket, LONGEST_ANSWER);
    } finally {
      unlisten();
      socket.destroy();
    }
  };

const nameOf = ({ pid, port }: SteeredDaemon): string => `The daemon at port ${port} (process ${pid})`;

/** Which daemon of this user on this host is meant. */
export interface WhichDaemon {
  readonly pid?: number;
  readonly port?: number;
}

/**
 * The daemon of this user on this host, or that of several which is meant. Throws ControlError if there is none, or more
 * than one; and FolderError if the folder where its control socket would lie can't be trusted.
 */
export const steerLocal = ({ pid, port }: WhichDaemon = {}): SteeredControl => {
  const found = steeredDaemons().filter(
    (daemon) => (pid === undefined || daemon.pid === pid) && (port === undefined || daemon.port === port),
  );
  const [one, ...more] = found;
  if (!one) {
    checkPrivateRoot();
    const meant = [pid !== undefined && `process ${pid}`, port !== undefined && `port ${port}`].filter(
      Boolean,
    );
    const which = meant.length > 0 ? ` (${meant.join(', ')})` : '';
    throw new ControlError(
      `No daemon of this user runs on this host${which}. Start one with: offsite serve; or say the host of another one.`,
    );
  }
  if (more.length > 0) {
    const all = found.map((daemon) => `port ${daemon.port} (process ${daemon.pid})`);
    throw new ControlError(
      `${found.length} daemons of this user run on this host, at ${all.join(', ')}. Say which one is meant, by its port.`,
    );
  }
  return controlBy(nameOf(one), sayTo(one.path));
};

/** A daemon somewhere else, for those who have credentials of its domain admin. Each question is a connection of its own. */
export const steerRemote = (address: Address, credentials?: Credentials): SteeredControl => {
  const name = `The daemon at ${written(address)}`;
  return controlBy(name, async (text, signal) => {
    const path = asThisProgram('/admin');
    const { socket } = await dial(address, {
      path,
      name: 'The daemon',
      signal,
      ...(credentials && { credentials }),
    });
    const unlisten = whenAborted(signal, () => socket.terminate());
    try {
      const answer = new Promise<string>((resolve, reject) => {
        socket.on('message', (data) => resolve((data as Buffer).toString('utf8')));
        socket.on('error', reject);
        socket.on('close', () => reject(new ControlError(`${name} hung up before it had answered.`)));
      });
      socket.resume();
      socket.send(Buffer.from(text), { binary: false }, () => {});
      return await answer;
    } finally {
      unlisten();
      socket.terminate();
    }
  });
};

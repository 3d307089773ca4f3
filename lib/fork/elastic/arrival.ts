import { HEARTBEAT_EVERY } from '../../engine/protocol.ts';
import { OptionError } from '../../wire/errors.ts';
import { MAX_FRAME } from '../../wire/frame/frame.ts';
import { roomFor } from '../../wire/link/websocket-link.ts';
import { ForkError } from '../errors.ts';
import type { Fork, ForkedSite, ForkRequest, SiteDeath } from '../fork-method.ts';
import { parseHost } from '../host.ts';
import type { Channel } from './channel.ts';
import type { FromJoiner, Hello } from './messages.ts';

/** A site that is cut off ends after this part of the time that its manager bears it, so that it is gone before another. */
const ENDS_AT = 0.75;
/** How long a process may take to be gone after SIGKILL was sent, in milliseconds, before the connection is dropped. */
const KILLED_WITHIN = 500;
/** How many of the last lines are kept to explain a death. */
const TAIL = 20;

const gone = (name: string): ForkError =>
  new ForkError(name, {
    step: 'connect',
    what: 'it had gone before it was taken into the cluster.',
    remedy: 'Let it join again.',
  });

/** A site that has come in by itself and waits until it is wanted. */
export class Arrival {
  /** Its host, as it says. */
  readonly host: string;
  /** Its process over there: that of `offsite join`. */
  readonly pid: number;
  readonly name: string | undefined;
  readonly bind: string | undefined;
  /** Resolves when it has gone. */
  readonly left: Promise<void>;
  readonly #channel: Channel<'joiner'>;
  #isGone = false;

  constructor(channel: Channel<'joiner'>, { host, pid, name, bind }: Hello) {
    this.#channel = channel;
    this.host = isHost(host) ? host : 'elsewhere';
    this.pid = pid;
    this.name = name;
    this.bind = bind;
    // Before it is started it has nothing to say.
    channel.listen(() => channel.drop());
    this.left = channel.closed.then(() => {
      this.#isGone = true;
    });
  }

  /** Whether it has gone. */
  get gone(): boolean {
    return this.#isGone;
  }

  /** Sends it away. */
  dismiss(): void {
    this.#channel.drop();
  }

  /** Has it start its engine; once. Rejects with ForkError. */
  readonly fork: Fork = async (request) => {
    const { detach, signal } = request;
    if (detach)
      throw new OptionError('detach', 'A site that joins by itself ends with the program it joins.');
    const channel = this.#channel;
    const stderr: string[] = [];
    let exited!: (death: SiteDeath) => void;
    const death = new Promise<SiteDeath>((resolve) => {
      exited = resolve;
    });
    void channel.closed.then(() => exited({ exitCode: null, signal: null, stderr: [...stderr] }));
    await started(channel, request, this.#isGone, (message) => {
      if ('line' in message) {
        if (stderr.push(message.line) > TAIL) stderr.shift();
        request.onLine(message.line);
      } else if ('exit' in message) {
        exited({ ...message.exit, stderr: [...stderr] });
      } else channel.drop();
    }).catch((cause: unknown) => {
      channel.drop();
      throw signal.aborted ? signal.reason : cause;
    });
    const link = channel.link(roomFor(MAX_FRAME));
    link.unref();
    const site: ForkedSite = {
      method: 'elastic',
      link,
      pid: process.pid,
      heardAt: () => channel.heardAt,
      exited: death,
      kill: async (kill) => {
        channel.say({ signal: kill });
        if (kill === 'SIGTERM') return;
        // Its own process ends it when the connection is gone; a busy pipe may hold up the word.
        const late = setTimeout(() => channel.drop(), KILLED_WITHIN);
        await death;
        clearTimeout(late);
      },
      abandon: async () => {
        channel.say({ signal: 'SIGKILL' });
        channel.drop();
      },
      sweep: async () => {},
    };
    return site;
  };
}

const isHost = (host: string): boolean => {
  try {
    const parsed = parseHost(host);
    return parsed.user === undefined && parsed.port === undefined;
  } catch {
    return false;
  }
};

/** Has the one that waits start its engine, and goes on listening to it. */
const started = (
  channel: Channel<'joiner'>,
  { name, execArgv, timeout, unreachableTimeout, heartbeat = HEARTBEAT_EVERY, signal }: ForkRequest,
  isGone: boolean,
  listener: (message: FromJoiner) => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    if (isGone) return reject(gone(name));
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => signal.removeEventListener('abort', abort);
    void channel.closed.then(() => {
      settle();
      reject(gone(name));
    });
    channel.listen((message) => {
      if ('started' in message) {
        settle();
        resolve();
      } else if ('failed' in message) {
        settle();
        const { what, remedy } = message.failed;
        reject(new ForkError(name, { step: 'engine', what, remedy }));
      } else listener(message);
    });
    const endAfter = unreachableTimeout * ENDS_AT;
    channel.say({
      start: { name, execArgv, timeout, heartbeat, ...(endAfter !== Infinity && { endAfter }) },
    });
  });

import { setTimeout as delay } from 'node:timers/promises';
import type { Credentials } from '../../lib/access/credentials.ts';
import { type Dialled, dial } from '../../lib/access/dial.ts';
import { asThisProgram } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import { type Address, written } from '../../lib/cluster/direct/address.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { isRecord } from '../../lib/fork/elastic/is-record.ts';

/** How long is waited before a scheduler is dialled again, in milliseconds; each time twice as long. */
const FIRST_DELAY = 500;
/** The longest of these waits, in milliseconds. */
const LONGEST_DELAY = 30_000;
/** How long a scheduler may say nothing, in milliseconds: it asks for signs of life oftener. */
const SILENT_FOR = 30_000;
const LOOK_EVERY = 5_000;

/** How a node serves at a scheduler that it has dialled. */
export interface JoinedOptions {
  readonly address: Address;
  readonly credentials: Credentials;
  /** Calls `tell` with how the node does, at once and whenever that changes, until the signal is aborted. */
  readonly follow: (tell: (state: NodeState) => void, signal: AbortSignal) => void;
  /** Somebody wants a site, through the scheduler. */
  readonly onVisitor: (visitor: Visitor) => void;
  readonly log: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const wordOf = (bytes: Buffer): string | undefined => {
  try {
    const said: unknown = JSON.parse(bytes.toString('utf8'));
    return isRecord(said) && typeof said.open === 'string' && /^[0-9a-f]{32}$/.test(said.open)
      ? said.open
      : undefined;
  } catch {
    return undefined;
  }
};

/** Serves over one line until that ends; resolves with why. */
const serveOver = async (
  line: Dialled,
  { address, credentials, follow, onVisitor, log, signal }: JoinedOptions,
): Promise<Error | undefined> => {
  const { socket } = line;
  const at = written(address);
  const over = new AbortController();
  let cause: Error | undefined;
  let heardAt = performance.now();
  socket.on('error', (failure) => {
    cause ??= failure;
  });
  socket.on('ping', () => {
    heardAt = performance.now();
  });
  const open = async (word: string) => {
    const { socket: way, ends } = await dial(address, {
      path: `${asThisProgram('/joined')}&for=${word}`,
      credentials,
      signal,
    });
    onVisitor({
      user: 'scheduler',
      domain: 'use',
      by: 'key',
      from: at,
      path: `/site?client=${at}`,
      socket: way,
      ends,
    });
  };
  socket.on('message', (data) => {
    const word = wordOf(data as Buffer);
    if (word === undefined) return socket.terminate();
    open(word).catch((failure: Error) =>
      log(`A way to the scheduler at ${at} could not be made: ${failure.message}`),
    );
  });
  const watch = setInterval(() => {
    if (performance.now() - heardAt <= SILENT_FOR) return;
    cause ??= new Error(`nothing was heard of it for ${SILENT_FOR} ms`);
    socket.terminate();
  }, LOOK_EVERY).unref();
  const stop = () => socket.terminate();
  signal.addEventListener('abort', stop, { once: true });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', resolve);
  });
  socket.resume();
  follow(
    (node) => socket.send(Buffer.from(JSON.stringify({ node })), { binary: false }, () => {}),
    over.signal,
  );
  await closed;
  over.abort();
  clearInterval(watch);
  signal.removeEventListener('abort', stop);
  return cause;
};

/**
 * Serves at a scheduler that this node dials, again and again until the signal is aborted, so that it needs no open port
 * (NAT). Never rejects.
 */
export const serveJoined = async (options: JoinedOptions): Promise<void> => {
  const { address, credentials, log, signal } = options;
  const at = written(address);
  let wait = FIRST_DELAY;
  let told = false;
  while (!signal.aborted) {
    try {
      const name = 'the scheduler';
      const line = await dial(address, { path: asThisProgram('/join'), credentials, name, signal });
      log(`This node serves at the scheduler ${at}.`);
      told = false;
      const since = performance.now();
      const cause = await serveOver(line, options);
      // One that is sent away at once, for its name, is so again.
      if (performance.now() - since > LONGEST_DELAY) wait = FIRST_DELAY;
      if (!signal.aborted)
        log(`The scheduler at ${at} is gone${cause ? `: ${cause.message}` : ''}; it is dialled again.`);
    } catch (cause) {
      if (!signal.aborted && !told) log(`${(cause as Error).message} It is dialled again.`);
      told = true;
    }
    await delay(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    wait = Math.min(wait * 2, LONGEST_DELAY);
  }
};

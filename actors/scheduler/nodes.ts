import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Credentials } from '../../lib/access/credentials.ts';
import { dial } from '../../lib/access/dial.ts';
import { asThisProgram, clientOf } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import { daemonAt } from '../../lib/fork/daemon/daemon.ts';
import { followNodes, type NodeFeed, type NodeNews, readNews } from '../../lib/fork/daemon/node-feed.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { whenAborted } from '../../lib/wire/call/when-aborted.ts';
import { TimeoutError } from '../../lib/wire/errors.ts';
import type { ClosableSocket } from '../../lib/wire/link/websocket.ts';

/** How long is waited before a daemon is dialled again, in milliseconds; each time twice as long. */
const FIRST_DELAY = 500;
/** The longest of these waits, in milliseconds. */
const LONGEST_DELAY = 30_000;
/** How long a node may take to open a way for a site, in milliseconds. */
const OPEN_WITHIN = 10_000;
/** How often a joined node is asked for a sign of life, and how long it may be silent, in milliseconds. */
const ASK_EVERY = 5_000;
const SILENT_FOR = 20_000;

/** What a node is heard over. */
export interface NodeLine {
  /** Names whoever is at its other end, so that he is known again when he has lost one and makes another. */
  readonly owner: string;
}

/** A node whose slots a scheduler shares out. */
export interface ScheduledNode {
  readonly line: NodeLine;
  readonly state: NodeState;
  /** Whether the scheduler went to it, or it came by itself. */
  readonly by: 'dialled' | 'joined';
  /** Where it is, or where it came from. */
  readonly at: string;
  /** A connection that carries one site there, paused. Rejects with AccessError, TimeoutError, or the signal's reason. */
  open(signal: AbortSignal): Promise<ClosableSocket>;
}

/** What happens to nodes. */
export interface NodesEvents {
  /** A node has come, or does otherwise than before; says whether it is taken, as it is not if another has its name. */
  onNode(node: ScheduledNode): boolean;
  /** A node that was taken over this line has left. */
  onGone(name: string, line: NodeLine): void;
  /** Something that is no concern of anybody's call. */
  log(line: string): void;
}

const namesake = (name: string, where: string): string =>
  `The node ${name} ${where} is not taken: another node has this name. Give it one of its own (--name).`;

/** Follows one daemon for ever, until the signal is aborted. */
export const followDaemon = async (
  host: string,
  own: Credentials | undefined,
  { onNode, onGone, log }: NodesEvents,
  signal: AbortSignal,
): Promise<void> => {
  const { address, credentials } = daemonAt(host, own);
  const how = { credentials, name: `the node ${host}` };
  let wait = FIRST_DELAY;
  let name: string | undefined;
  const line: NodeLine = { owner: host };
  let told = false;
  while (!signal.aborted) {
    try {
      const over = new AbortController();
      const onNews = (news: NodeNews) => {
        if (!('node' in news)) return;
        const state = news.node;
        const open = async (given: AbortSignal) =>
          (await dial(address, { ...how, path: asThisProgram('/site'), timeout: OPEN_WITHIN, signal: given }))
            .socket;
        if (name !== undefined && name !== state.name) onGone(name, line);
        if (!onNode({ state, by: 'dialled', at: host, open, line })) {
          name = undefined;
          if (!told) log(namesake(state.name, `at ${host}`));
          told = true;
          return over.abort();
        }
        wait = FIRST_DELAY;
        told = false;
        if (name === undefined) log(`The node ${state.name} is there (${host}).`);
        name = state.name;
      };
      const feed: NodeFeed = await followNodes(address, { ...how, signal }, onNews);
      const close = () => feed.close();
      signal.addEventListener('abort', close, { once: true });
      const unlisten = whenAborted(over.signal, close);
      const cause = await feed.closed;
      unlisten();
      signal.removeEventListener('abort', close);
      if (!signal.aborted && !over.signal.aborted)
        log(`The node ${name ?? host} is gone${cause ? `: ${cause.message}` : '.'}`);
    } catch (cause) {
      if (!signal.aborted && wait === FIRST_DELAY)
        log(`The node ${host} can not be reached: ${(cause as Error).message}`);
    }
    if (name !== undefined) onGone(name, line);
    name = undefined;
    await delay(wait, undefined, { signal }).catch(() => {});
    wait = Math.min(wait * 2, LONGEST_DELAY);
  }
};

interface Wanted {
  resolve(socket: ClosableSocket): void;
}

/** Nodes that have dialled in by themselves: each holds a line on which it is told when a site is wanted. */
export class JoinedNodes {
  readonly #events: NodesEvents;
  /** What has been asked of nodes and has not come yet, by a word that cannot be guessed. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #lines = new Set<ClosableSocket>();
  /** Names that somebody else was refused, of which it was told. */
  readonly #told = new Set<string>();

  constructor(events: NodesEvents) {
    this.#events = events;
  }

  /** A node's line, over `/join`. */
  join(visitor: Visitor): void {
    const { socket, from, user } = visitor;
    const { onNode, onGone, log } = this.#events;
    const line: NodeLine = { owner: clientOf(visitor) };
    let name: string | undefined;
    let heardAt = performance.now();
    this.#lines.add(socket);
    const watch = setInterval(() => {
      if (performance.now() - heardAt > SILENT_FOR) socket.terminate();
      else socket.ping();
    }, ASK_EVERY).unref();
    socket.on('pong', () => {
      heardAt = performance.now();
    });
    socket.on('error', () => {});
    socket.on('message', (data) => {
      heardAt = performance.now();
      const news = readNews(data as Buffer);
      if (!news || !('node' in news)) return socket.terminate();
      const { node: state } = news;
      if (name !== undefined && name !== state.name) onGone(name, line);
      const open = (signal: AbortSignal) => this.#open(socket, state.name, signal);
      if (!onNode({ state, by: 'joined', at: from, open, line })) {
        name = undefined;
        if (!this.#told.has(state.name)) log(namesake(state.name, `of ${user} from ${from}`));
        this.#told.add(state.name);
        return socket.terminate();
      }
      if (name === undefined) log(`The node ${state.name} has joined from ${from} as ${user}.`);
      name = state.name;
    });
    socket.on('close', () => {
      clearInterval(watch);
      this.#lines.delete(socket);
      if (name === undefined) return;
      log(`The node ${name}, which had joined from ${from}, is gone.`);
      this.#told.delete(name);
      onGone(name, line);
    });
    socket.resume();
  }

  /** The connection for a site that a node was asked for, over `/joined`. */
  arrive({ socket, path }: Visitor): void {
    const word = new URLSearchParams(path.split('?')[1]).get('for') ?? '';
    const wanted = this.#wanted.get(word);
    this.#wanted.delete(word);
    if (wanted) wanted.resolve(socket);
    else socket.terminate();
  }

  /** Sends all away. */
  close(): void {
    for (const socket of this.#lines) socket.terminate();
  }

  #open(line: ClosableSocket, name: string, signal: AbortSignal): Promise<ClosableSocket> {
    const word = randomBytes(16).toString('hex');
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(late);
        signal.removeEventListener('abort', abort);
        this.#wanted.delete(word);
      };
      const fail = (cause: unknown) => {
        settle();
        reject(cause);
      };
      const abort = () => fail(signal.reason);
      const late = setTimeout(() => {
        const what = `The node ${name} did not open a way for a site within ${OPEN_WITHIN} ms.`;
        fail(new TimeoutError(what, OPEN_WITHIN));
      }, OPEN_WITHIN);
      signal.addEventListener('abort', abort, { once: true });
      this.#wanted.set(word, {
        resolve: (socket) => {
          settle();
          resolve(socket);
        },
      });
      line.send(Buffer.from(JSON.stringify({ open: word })), { binary: false }, (cause) => {
        if (cause) fail(cause);
      });
    });
  }
}

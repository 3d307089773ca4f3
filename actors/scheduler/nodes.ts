import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Credentials } from '../../lib/access/credentials.ts';
import { dial } from '../../lib/access/dial.ts';
import { asThisProgram } from '../../lib/access/program.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import { daemonAt } from '../../lib/fork/daemon/daemon.ts';
import { followNodes, type NodeFeed, type NodeNews, readNews } from '../../lib/fork/daemon/node-feed.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
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

/** A node whose slots a scheduler shares out. */
export interface ScheduledNode {
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
  /** A node has come, or does otherwise than before. */
  onNode(node: ScheduledNode): void;
  /** A node has left. */
  onGone(name: string): void;
  /** Something that is no concern of anybody's call. */
  log(line: string): void;
}

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
  while (!signal.aborted) {
    try {
      const onNews = (news: NodeNews) => {
        if (!('node' in news)) return;
        const state = news.node;
        wait = FIRST_DELAY;
        if (name === undefined) log(`The node ${state.name} is there (${host}).`);
        else if (name !== state.name) onGone(name);
        name = state.name;
        const open = async (given: AbortSignal) =>
          (await dial(address, { ...how, path: asThisProgram('/site'), timeout: OPEN_WITHIN, signal: given }))
            .socket;
        onNode({ state, by: 'dialled', at: host, open });
      };
      const feed: NodeFeed = await followNodes(address, { ...how, signal }, onNews);
      const close = () => feed.close();
      signal.addEventListener('abort', close, { once: true });
      const cause = await feed.closed;
      signal.removeEventListener('abort', close);
      if (!signal.aborted) log(`The node ${name ?? host} is gone${cause ? `: ${cause.message}` : '.'}`);
    } catch (cause) {
      if (!signal.aborted && wait === FIRST_DELAY)
        log(`The node ${host} can not be reached: ${(cause as Error).message}`);
    }
    if (name !== undefined) onGone(name);
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

  constructor(events: NodesEvents) {
    this.#events = events;
  }

  /** A node's line, over `/join`. */
  join({ socket, from, user }: Visitor): void {
    const { onNode, onGone, log } = this.#events;
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
      if (name === undefined) log(`The node ${state.name} has joined from ${from} as ${user}.`);
      else if (name !== state.name) onGone(name);
      name = state.name;
      onNode({ state, by: 'joined', at: from, open: (signal) => this.#open(socket, state.name, signal) });
    });
    socket.on('close', () => {
      clearInterval(watch);
      this.#lines.delete(socket);
      if (name === undefined) return;
      log(`The node ${name}, which had joined from ${from}, is gone.`);
      onGone(name);
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

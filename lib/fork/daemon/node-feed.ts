import { type DialOptions, dial } from '../../access/dial.ts';
import { asThisProgram } from '../../access/program.ts';
import type { Address } from '../../cluster/direct/address.ts';
import { ProtocolError } from '../../wire/errors.ts';
import type { ClosableSocket } from '../../wire/link/websocket.ts';
import { isRecord } from '../elastic/is-record.ts';
import type { Demand, NodeState } from './node-state.ts';

/** What is told over `/node`: how a node does, or that it has left. */
export type NodeNews = { readonly node: NodeState } | { readonly gone: string };

/** A message that is longer than this is none of these: 64 KiB. */
const LONGEST = 64 * 1024;
/** How often the other end is asked for a sign of life, in milliseconds, and how long it may be silent. */
const ASK_EVERY = 10_000;
const SILENT_FOR = 30_000;

const STATES: readonly unknown[] = ['serving', 'draining', 'closed'];
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Whether a value is what a node tells of itself. */
const isNodeState = (value: unknown): value is NodeState =>
  isRecord(value) &&
  ['name', 'host', 'version', 'node', 'platform', 'arch'].every(
    (field) => typeof value[field] === 'string',
  ) &&
  isRecord(value.labels) &&
  Object.values(value.labels).every((label) => typeof label === 'string') &&
  isCount(value.cpus) &&
  isCount(value.free) &&
  (value.share === undefined || isCount(value.share)) &&
  STATES.includes(value.state) &&
  typeof value.load === 'number' &&
  isRecord(value.memory);

const parsed = (bytes: Buffer): unknown => {
  try {
    return bytes.length > LONGEST ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** Reads what a node or a scheduler tells; `undefined` if it is nothing that this version knows. */
export const readNews = (bytes: Buffer): NodeNews | undefined => {
  const said = parsed(bytes);
  if (!isRecord(said)) return undefined;
  if (isNodeState(said.node)) return { node: said.node };
  return typeof said.gone === 'string' ? { gone: said.gone } : undefined;
};

/** Reads what a client wants; `undefined` if it is nothing that this version knows. */
export const readDemand = (bytes: Buffer): Demand | undefined => {
  const said = parsed(bytes);
  const demand = isRecord(said) ? said.demand : undefined;
  const holds =
    isRecord(demand) &&
    isCount(demand.wants) &&
    [demand.priority, demand.since].every((value) => value === undefined || Number.isFinite(value));
  return holds ? (demand as unknown as Demand) : undefined;
};

/** A line over which nodes tell how they do. */
export interface NodeFeed {
  /** Resolves when it has ended, with what broke it. */
  readonly closed: Promise<Error | undefined>;
  /** Says what this client could use. */
  tell(demand: Demand): void;
  /** Ends it; can be called again. */
  close(): void;
}

/** Listens to news over a WebSocket; it is this feed's from now on. */
export const feedOf = (socket: ClosableSocket, onNews: (news: NodeNews) => void): NodeFeed => {
  let cause: Error | undefined;
  let heardAt = performance.now();
  const heard = () => {
    heardAt = performance.now();
  };
  socket.on('pong', heard);
  socket.on('ping', heard);
  socket.on('error', (failure) => {
    cause ??= failure;
  });
  socket.on('message', (data) => {
    heard();
    const news = readNews(data as Buffer);
    if (news) return onNews(news);
    cause ??= new ProtocolError('The node told what this version does not know.');
    socket.terminate();
  });
  const watch = setInterval(() => {
    if (performance.now() - heardAt > SILENT_FOR) {
      cause ??= new Error(`Nothing was heard of the node for ${SILENT_FOR} ms.`);
      socket.terminate();
    } else socket.ping();
  }, ASK_EVERY).unref();
  const closed = new Promise<Error | undefined>((resolve) => {
    socket.on('close', () => {
      clearInterval(watch);
      resolve(cause);
    });
  });
  socket.resume();
  return {
    closed,
    tell: (demand) => socket.send(Buffer.from(JSON.stringify({ demand })), { binary: false }, () => {}),
    close: () => socket.terminate(),
  };
};

/** Follows a daemon, or all nodes of a scheduler. Rejects as `dial` does. */
export const followNodes = async (
  address: Address,
  options: Omit<DialOptions, 'path'>,
  onNews: (news: NodeNews) => void,
): Promise<NodeFeed> => {
  const { socket } = await dial(address, { ...options, path: asThisProgram('/node') });
  return feedOf(socket, onNews);
};

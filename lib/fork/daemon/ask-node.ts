import type { Credentials } from '../../access/credentials.ts';
import { dial } from '../../access/dial.ts';
import { type Address, written } from '../../cluster/direct/address.ts';
import { OffsiteError, TimeoutError } from '../../wire/errors.ts';
import type { ClosableSocket } from '../../wire/link/websocket.ts';
import { isRecord } from '../elastic/is-record.ts';
import { LONGEST_MESSAGE } from './messages.ts';
import type { NodeState } from './node-state.ts';

/** How a node is asked. */
export interface AskNodeOptions {
  readonly credentials?: Credentials;
  /** How long all of it may take, in milliseconds. @default 10 s */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

const isState = (state: unknown): state is NodeState =>
  isRecord(state) &&
  [state.name, state.host, state.version, state.node, state.state].every(
    (text) => typeof text === 'string',
  ) &&
  [state.cpus, state.free, state.load].every((count) => typeof count === 'number') &&
  isRecord(state.memory);

const readState = (text: string): NodeState | undefined => {
  if (text.length > LONGEST_MESSAGE) return undefined;
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) && isState(message.node) ? message.node : undefined;
  } catch {
    return undefined;
  }
};

/** How long the other side may take to close as well, in milliseconds. */
const CLOSED_WITHIN = 1_000;

/** Closes in order, so that the node does not take this client for lost; but waits for no one who is. */
const leave = (socket: ClosableSocket): void => {
  const timer = setTimeout(() => socket.terminate(), CLOSED_WITHIN);
  socket.on('close', () => clearTimeout(timer));
  socket.close();
};

/**
 * Asks a daemon how it does, with credentials, and leaves. Rejects as `dial` does, with TimeoutError if it says nothing
 * in time, or with `ERR_OFFSITE_STRANGER` if it says what no node says.
 */
export const askNode = async (address: Address, options: AskNodeOptions = {}): Promise<NodeState> => {
  const { credentials, timeout = 10_000, signal } = options;
  const at = written(address);
  const start = performance.now();
  const common = { timeout, ...(credentials && { credentials }), ...(signal && { signal }) };
  const { socket } = await dial(address, { path: '/node', ...common });
  try {
    return await new Promise<NodeState>((resolve, reject) => {
      const stranger = (what: string) =>
        reject(new OffsiteError('ERR_OFFSITE_STRANGER', `What listens at ${at} is no node: ${what}.`));
      const left = Math.max(1, timeout - (performance.now() - start));
      const timer = setTimeout(() => {
        const what = `The node at ${at} let this client in, but did not say how it does within ${timeout} ms.`;
        reject(new TimeoutError(what, timeout));
      }, left);
      const giveUp = () => reject(signal!.reason as Error);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted) giveUp();
      socket.on('message', (data, isBinary) => {
        const state = isBinary ? undefined : readState(String(data));
        if (state) resolve(state);
        else stranger('it says what no node of this version says');
      });
      socket.on('close', () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        stranger('it hung up before it had said how it does');
      });
      socket.resume();
    });
  } finally {
    leave(socket);
  }
};

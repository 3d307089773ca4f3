import type { Order } from '../engine/detached/order.ts';
import { refusedTicket } from '../ticket/errors.ts';
import { forkOf } from './automatic.ts';
import { ErrandError, ForkError } from './errors.ts';
import type { Fork, ForkedSite, ForkMethod, ForkRequest } from './fork-method.ts';

/** What an order gave, and the way by which it did. */
export interface Run<T> {
  readonly done: T;
  readonly way: ForkedSite;
}

/** Has something done where a fork method leads; rejects with TicketError, ForkError or ErrandError, and then nothing is left. */
export const runErrand = async <T>(fork: Fork, request: ForkRequest, order: Order): Promise<Run<T>> => {
  // What Node.js is told for the site must not be told to the bridge, which may take the same port.
  const way = await fork({ ...request, execArgv: [], order });
  const { done, refused, failed } = way.errand!.reply;
  if (!refused && !failed) return { done: done as T, way };
  await way.leave!();
  if (refused) throw refusedTicket(refused, request.name);
  const { message, remedy } = failed!;
  if (order.op !== 'start')
    throw new ErrandError(message, remedy ?? 'Check the ticket and the host that it is for.');
  throw new ForkError(request.name, {
    step: 'engine',
    what: message,
    remedy: remedy ?? 'See what it said, and the option execArgv.',
  });
};

/** Which way an errand goes; what is not said is as for a site that is started. */
export interface Way {
  readonly host: string;
  readonly fork?: ForkMethod;
  readonly engine?: 'travel' | 'installed';
  readonly nodePath?: string;
  readonly sshOptions?: readonly string[];
  /** What it may take, in milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
}

/** Has something done on a host that no site of ours leads to; rejects as runErrand does, or with the signal's reason. */
export const errandTo = async <T>(
  { host, fork = 'automatic', engine = 'travel', nodePath, sshOptions = [], timeout, signal }: Way,
  name: string,
  order: Order,
): Promise<Run<T>> => {
  const giveUp = new AbortController();
  const abort = () => giveUp.abort(signal!.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () =>
      giveUp.abort(
        new ForkError(name, {
          step: 'timeout',
          what: `there was no answer after ${timeout} ms.`,
          remedy: 'Give the option timeout more, or see what the fork command does when run by hand.',
        }),
      ),
    timeout,
  );
  try {
    // A thread of this process leads nowhere.
    const method = forkOf(fork, { host, detach: true, ownFolder: true });
    return await runErrand<T>(
      method,
      {
        host,
        name,
        detach: true,
        execArgv: [],
        engine,
        sshOptions,
        timeout,
        unreachableTimeout: Infinity,
        signal: giveUp.signal,
        onLine: () => {},
        ...(nodePath !== undefined && { nodePath }),
      },
      order,
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
};

import type { Order } from '../engine/detached/order.ts';
import { refusedTicket } from '../ticket/errors.ts';
import { ForkError } from './errors.ts';
import type { Fork, ForkedSite, ForkRequest } from './fork-method.ts';

/** What an order gave, and the way by which it did. */
export interface Run<T> {
  readonly done: T;
  readonly way: ForkedSite;
}

/** Has something done where a fork method leads; rejects with TicketError or ForkError, and then nothing is left. */
export const runErrand = async <T>(fork: Fork, request: ForkRequest, order: Order): Promise<Run<T>> => {
  // What Node.js is told for the site must not be told to the bridge, which may take the same port.
  const way = await fork({ ...request, execArgv: [], order });
  const { done, refused, failed } = way.errand!.reply;
  if (!refused && !failed) return { done: done as T, way };
  await way.leave!();
  if (refused) throw refusedTicket(refused, request.name);
  const { message, remedy } = failed!;
  throw new ForkError(request.name, {
    step: order.op === 'start' ? 'engine' : 'exit',
    what: message,
    remedy: remedy ?? 'Check the ticket and the host that it is for.',
  });
};

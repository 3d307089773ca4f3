import { OptionError } from '../../wire/errors.ts';
import { type AnyFunction, type Callable, nameOf, plain } from '../functions.ts';
import type { Member } from '../member.ts';
import type { Future } from './future.ts';
import type { RemoteChannel } from './remote-channel.ts';
import type { ChannelStore } from './store-cell.ts';

/** What a Future may be made with. */
export interface FutureOptions {
  /** The process that makes the value: if it ends before, the Future rejects with ProcessExitedException. */
  waitingFor?: number;
}

/**
 * Makes a Future that lies at `owner`, without waiting for it. Throws NoProcessError, ProcessExitedException,
 * ClusterClosedError and OptionError.
 */
export const makeFuture = <T = unknown>(
  member: Member,
  owner: number = member.id,
  { waitingFor }: FutureOptions = {},
): Future<T> => {
  if (waitingFor !== undefined && !Number.isSafeInteger(waitingFor)) {
    throw new OptionError('waitingFor', `A process is named by its id, and not by ${String(waitingFor)}.`);
  }
  const making =
    waitingFor === undefined ? ({ kind: 'future' } as const) : { kind: 'future' as const, waitingFor };
  return member.references.make(owner, making) as Future<T>;
};

/**
 * Makes a channel that lies at `owner`, without waiting for it. It keeps up to `of` values; with 0, each `put` waits for
 * a `take`; a function's name, or a functor, makes a store of its own there, and if that fails every use of the channel
 * rejects with the RemoteException. Throws NoProcessError, ProcessExitedException, ClusterClosedError and OptionError.
 */
export const makeChannel = <T = unknown>(
  member: Member,
  owner: number = member.id,
  of: number | Callable<() => ChannelStore<T> | Promise<ChannelStore<T>>> = 1,
): RemoteChannel<T> => {
  if (typeof of === 'number' && !(of === Number.POSITIVE_INFINITY || (Number.isSafeInteger(of) && of >= 0))) {
    throw new OptionError('capacity', `A channel keeps a whole number of values from 0 on, not ${of}.`);
  }
  const store = typeof of === 'number' ? of : plain(nameOf(of));
  return member.references.make(owner, { kind: 'channel', of: store }) as RemoteChannel<T>;
};

/**
 * Calls a function in a process without waiting: Julia's `remotecall`. What it returns or throws lies there, and the
 * Future leads to it; thrown errors come as RemoteException. Throws NoProcessError, ProcessExitedException,
 * ClusterClosedError and OptionError; what is wrong with the arguments is told by the Future.
 */
export const startCall = <F extends AnyFunction>(
  member: Member,
  fn: Callable<F>,
  id: number,
  args: readonly unknown[],
): Future<Awaited<ReturnType<F>>> => {
  const name = plain(nameOf(fn));
  const future = makeFuture<Awaited<ReturnType<F>>>(member, id);
  const { references } = member;
  const { ref } = future;
  // First, so that the call finds what it fills.
  references.flush(id);
  references
    .tell(id, (desk) => desk.run(ref, name, args))
    .catch((error: unknown) => references.tell(id, (desk) => desk.settle(ref, { error })))
    // The process has ended, and that is what the Future says too.
    .catch(() => {});
  return future;
};

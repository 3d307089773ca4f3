import type { ExitedReason } from '../../lib/cluster/errors.ts';
import { within } from '../../lib/cluster/within.ts';

/** How long those are waited for who were told that a worker is about to be removed, in milliseconds, as in DistributedNext. */
export const CALLBACK_WITHIN = 10_000;

/** What becomes of the workers of a cluster; DistributedNext's lifecycle callbacks, `add_worker_starting_callback` and so on. */
export interface ClusterEvents {
  /** A worker of that id is about to be started. What a listener throws or rejects with fails its addition. */
  starting: [id: number];
  /** A worker is in the cluster. `addProcs` waits for what a listener returns; what it throws fails the addition. */
  join: [id: number];
  /** A worker is about to be ended by `rmProcs`, which waits for what a listener returns, no longer than its `callbackTimeout`. */
  leaving: [id: number];
  /** A worker is not in the cluster any more: `removed` by somebody, or dead; and the last status that it had set. */
  leave: [id: number, reason: ExitedReason, status: unknown];
}

/** Who wants to know of an event; what is returned may be waited for. */
export type ClusterListener<E extends keyof ClusterEvents> = (...args: ClusterEvents[E]) => unknown;

/** Who wants to know what becomes of the workers of a cluster. */
export class Lifecycle {
  readonly #listeners = new Map<keyof ClusterEvents, Set<(...args: never[]) => unknown>>();

  on<E extends keyof ClusterEvents>(event: E, listener: ClusterListener<E>): void {
    const known = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, known.add(listener));
  }

  off<E extends keyof ClusterEvents>(event: E, listener: ClusterListener<E>): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** Tells all, and waits for them. Rejects with the first that failed. */
  async tell<E extends keyof ClusterEvents>(event: E, ...args: ClusterEvents[E]): Promise<void> {
    const listeners = [...(this.#listeners.get(event) ?? [])] as ClusterListener<E>[];
    await Promise.all(listeners.map(async (listener) => listener(...args)));
  }

  /** The same for what happens in any case: a failure is only a warning, and so is who takes longer than `timeout` ms. */
  async announce<E extends 'leaving' | 'leave'>(
    event: E,
    options: { timeout?: number },
    ...args: ClusterEvents[E]
  ): Promise<void> {
    try {
      await within(this.tell(event, ...args), 'It', options);
    } catch (cause) {
      process.emitWarning(
        `A listener to "${event}" of process ${args[0]} failed, and is not waited for: ${String(cause)}`,
      );
    }
  }
}

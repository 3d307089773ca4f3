import { EventEmitter, setMaxListeners } from 'node:events';
import { type Actor, createActor } from 'xstate';
import { deferred } from './deferred.ts';
import { closedFailure, exitOf } from './exit.ts';
import type { Faults } from './faults.ts';
import { type RemoteManagerEvent, remoteManagerMachine } from './machine.ts';
import type { Site } from './site.ts';
import { closedEarly } from './start-failures.ts';
import type { SiteExit, SiteState } from './state.ts';

/** Whose life it is, and who may end it. */
interface Living {
  readonly name: string;
  readonly site: Site;
  readonly faults: Faults;
  /** Ends it when it is aborted. */
  readonly signal: AbortSignal | undefined;
  /** It has ended; called before anybody else is told. */
  readonly onEnd: () => void;
}

/** What a manager's machine says, as its users learn it: when its site is ready, and once how it ended. */
export class Life {
  readonly actor: Actor<typeof remoteManagerMachine>;
  /** Resolves when the site answers; rejects with ForkError if it never will. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>;
  readonly #living: Living;
  readonly #events = new EventEmitter<{ exit: [SiteExit] }>();
  readonly #abort = (): void => this.send({ type: 'close', timeout: undefined });

  constructor(living: Living) {
    const { name, site, faults, signal, onEnd } = living;
    this.#living = living;
    // As many may wait for its end as like.
    this.#events.setMaxListeners(0);
    this.actor = createActor(remoteManagerMachine, { input: { life: site } });
    const { promise: ready, resolve, reject } = deferred<void>();
    const { promise: ended, resolve: end } = deferred<void>();
    this.ready = ready;
    this.ended = ended;
    // Who only calls learns of a failed start from the calls.
    ready.catch(() => {});
    this.actor.subscribe(({ value, context, status }) => {
      if (value === 'ready') resolve();
      if (status !== 'done') return;
      // Closed in the very turn in which the engine greeted: it was ready, though the machine had not come to it.
      if (site.greeting) resolve();
      else reject(context.failure ?? closedEarly(name, signal?.reason));
      onEnd();
      signal?.removeEventListener('abort', this.#abort);
      // First, because a listener may throw.
      end();
      faults.report('permFail', this.#failure);
      this.#events.emit('exit', this.#exit());
    });
  }

  /** Begins it, unless its signal is aborted already: then it ends at once. */
  start(): void {
    const { signal } = this.#living;
    this.actor.start();
    // One signal for many sites is what a signal is for.
    if (signal) setMaxListeners(0, signal);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
  }

  get state(): SiteState {
    return this.actor.getSnapshot().value;
  }

  /** What happens to a site that has ended does not matter any more. */
  send(event: RemoteManagerEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  /** Calls `listener` once it has ended; soon, if it has already. */
  on(event: 'exit', listener: (exit: SiteExit) => void): void {
    if (this.actor.getSnapshot().status === 'active') this.#events.on(event, listener);
    else queueMicrotask(() => listener(this.#exit()));
  }

  /** Takes a listener back. */
  off(event: 'exit', listener: (exit: SiteExit) => void): void {
    this.#events.off(event, listener);
  }

  /** What calls reject with now that it has ended. */
  get #failure(): unknown {
    const { name, site } = this.#living;
    const { value, context } = this.actor.getSnapshot();
    if (value === 'closed') return closedFailure(name, site.closeCause)(true);
    return context.failure ?? site.failure;
  }

  #exit(): SiteExit {
    const { value: state, context } = this.actor.getSnapshot();
    const { death, leaves: left } = this.#living.site;
    return exitOf({ state, death, failure: context.failure, left });
  }
}

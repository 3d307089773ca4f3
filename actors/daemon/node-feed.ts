import type { Visitor } from '../../lib/access/visitor.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { whenAborted } from '../../lib/wire/call/when-aborted.ts';
import { Caller } from './caller.ts';
import type { DaemonClock } from './clock.ts';

/** How often load and memory are told at most, in milliseconds. */
const TELL_EVERY = 5_000;
/** Who has not taken so many bytes of what he was told is told the next state instead, when he has. */
const MOST_WAITING = 64 * 1024;
/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;

type Tell = (state: NodeState) => void;

/** Tells all who want to know how a node does: at once, whenever that changes, and from time to time. */
export class NodeFeed {
  readonly #followers = new Set<Tell>();
  readonly #callers = new Set<Caller>();
  readonly #state: () => Promise<NodeState>;
  readonly #clock: DaemonClock;
  #timer: unknown;
  #soon: NodeJS.Immediate | undefined;

  constructor(state: () => Promise<NodeState>, clock: DaemonClock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Calls `tell` until the signal is aborted. */
  follow(tell: Tell, signal: AbortSignal): void {
    void this.#state().then((state) => {
      if (signal.aborted) return;
      tell(state);
      this.#followers.add(tell);
      if (this.#followers.size === 1) this.#tellLater();
      whenAborted(signal, () => {
        this.#followers.delete(tell);
        if (this.#followers.size === 0) this.#clock.clearTimeout(this.#timer);
      });
    });
  }

  /** Tells a visitor until he has gone. Never rejects. */
  async serve(visitor: Visitor, lease: number): Promise<void> {
    // What he may say there is for schedulers.
    const caller = new Caller(visitor, lease, () => {});
    const gone = new AbortController();
    this.#callers.add(caller);
    this.follow((node) => {
      if (caller.waiting <= MOST_WAITING) caller.say({ node });
    }, gone.signal);
    await caller.gone;
    this.#callers.delete(caller);
    gone.abort();
  }

  /** Something has changed; what changes together is told at once. */
  changed(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      void this.#tell();
    });
  }

  /** Tells all visitors how it ends, and hangs up. Never rejects. */
  async close(): Promise<void> {
    await this.#tell();
    await Promise.all([...this.#callers].map((caller) => caller.end(LAST_WORDS_WITHIN)));
  }

  async #tell(): Promise<void> {
    if (this.#followers.size === 0) return;
    const state = await this.#state();
    for (const tell of this.#followers) tell(state);
  }

  #tellLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      void this.#tell();
      this.#tellLater();
    }, TELL_EVERY);
  }
}

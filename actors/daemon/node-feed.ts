import type { Visitor } from '../../lib/access/visitor.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import { Caller } from './caller.ts';
import type { DaemonClock } from './clock.ts';

/** How often load and memory are told at most, in milliseconds. */
const TELL_EVERY = 5_000;
/** Who has not taken so many bytes of what he was told is told the next state instead, when he has. */
const MOST_WAITING = 64 * 1024;
/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;

/** Tells all that visit `/node` how a node does: at once, whenever that changes, and from time to time. */
export class NodeFeed {
  readonly #callers = new Set<Caller>();
  readonly #state: () => Promise<NodeState>;
  readonly #clock: DaemonClock;
  #timer: unknown;
  #soon: NodeJS.Immediate | undefined;

  constructor(state: () => Promise<NodeState>, clock: DaemonClock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Serves a visitor until he has gone. Never rejects. */
  async serve(visitor: Visitor, lease: number): Promise<void> {
    // What he may say there is for schedulers.
    const caller = new Caller(visitor, lease, () => {});
    this.#callers.add(caller);
    caller.say({ node: await this.#state() });
    if (this.#callers.size === 1) this.#tellLater();
    await caller.gone;
    this.#callers.delete(caller);
    if (this.#callers.size > 0) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Something has changed; what changes together is told at once. */
  changed(): void {
    if (this.#callers.size === 0) return;
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      void this.#tell();
    });
  }

  /** Tells all how it ends, and hangs up. Never rejects. */
  async close(): Promise<void> {
    if (this.#soon) clearImmediate(this.#soon);
    await this.#tell();
    await Promise.all([...this.#callers].map((caller) => caller.end(LAST_WORDS_WITHIN)));
  }

  async #tell(): Promise<void> {
    if (this.#callers.size === 0) return;
    const node = await this.#state();
    for (const caller of this.#callers) if (caller.waiting <= MOST_WAITING) caller.say({ node });
  }

  #tellLater(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      if (this.#callers.size === 0) return;
      void this.#tell();
      this.#tellLater();
    }, TELL_EVERY);
  }
}

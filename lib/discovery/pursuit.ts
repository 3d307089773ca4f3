import { type Candidate, tryCandidate } from './candidate.ts';
import type { FoundNode, NodeBasics, Probe, Trial } from './node.ts';

/** How long is waited before a node is tried again: at first, and at most, in milliseconds. */
export const RETRY = { first: 500, most: 30_000 } as const;

/** What is done with a pursuit's node. */
export interface PursuitOptions<State extends NodeBasics> {
  readonly probe: Probe<State>;
  /** How long one try may take, in milliseconds. */
  readonly timeout: number;
  /** It has answered. */
  readonly up: (node: FoundNode<State>) => void;
  /** It has not; it will be tried again. */
  readonly tried: (trials: readonly Trial[]) => void;
}

/**
 * One place where a node is or may come to be: it is tried with a growing wait until it answers, and from then on not
 * any more, until somebody says that it is lost.
 */
export class Pursuit<State extends NodeBasics> {
  candidate: Candidate;
  /** The node, while it is taken for up. */
  node: FoundNode<State> | undefined;
  /** Nobody announces it any more: it is kept while it is up, and not tried again. */
  isForsaken = false;
  readonly #options: PursuitOptions<State>;
  readonly #stop = new AbortController();
  #wait: number = RETRY.first;
  #timer: NodeJS.Timeout | undefined;
  #isTrying = false;

  constructor(candidate: Candidate, options: PursuitOptions<State>) {
    this.candidate = candidate;
    this.#options = options;
    void this.#try();
  }

  /** Tries at once, because its addresses are other ones now; does nothing while it is up. */
  hasten(): void {
    this.#wait = RETRY.first;
    if (this.node === undefined && !this.#isTrying) void this.#try();
  }

  /** It is up no more; it is tried again after the shortest wait. */
  lost(): void {
    if (this.node === undefined) return;
    this.node = undefined;
    this.#wait = RETRY.first;
    this.#tryLater();
  }

  /** Whether it answers now, without any change of what it is taken for. */
  async answers(): Promise<boolean> {
    const { probe, timeout } = this.#options;
    const { node } = await tryCandidate(this.candidate, { probe, timeout, signal: this.#stop.signal });
    return node !== undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort(new Error('It is not looked for any more.'));
  }

  async #try(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isTrying = true;
    const { probe, timeout, up, tried } = this.#options;
    const { signal } = this.#stop;
    const { node, trials } = await tryCandidate(this.candidate, { probe, timeout, signal });
    this.#isTrying = false;
    if (signal.aborted) return;
    if (node) {
      this.node = node;
      this.#wait = RETRY.first;
      up(node);
      return;
    }
    tried(trials);
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#try(), this.#wait);
    this.#timer.unref();
    this.#wait = Math.min(this.#wait * 2, RETRY.most);
  }
}

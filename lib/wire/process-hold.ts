import type { Link } from './link/link.ts';

/** While somebody waits for an answer, this process must not end for lack of work: holds it through the link. */
export class ProcessHold {
  #link: Link | undefined;
  #holds = false;

  /** The link through which the process is held. */
  attach(link: Link): void {
    this.#link = link;
  }

  /** Somebody waits. */
  hold(): void {
    if (this.#holds || !this.#link) return;
    this.#holds = true;
    this.#link.ref();
  }

  /** Nobody waits any more. */
  letGo(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#link?.unref();
  }
}

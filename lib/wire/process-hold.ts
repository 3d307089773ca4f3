import type { Link } from './link/link.ts';

/** While somebody waits for the other side, this process must not end for lack of work: holds it through the link. */
export class ProcessHold {
  #link: Link | undefined;
  #waiting = 0;

  /** The link through which the process is held. */
  attach(link: Link): void {
    this.#link = link;
    if (this.#waiting > 0) link.ref();
  }

  /** So many more wait, or fewer if it is negative. */
  waits(more: number): void {
    const before = this.#waiting;
    this.#waiting += more;
    if (before === 0 && this.#waiting > 0) this.#link?.ref();
    else if (before > 0 && this.#waiting === 0) this.#link?.unref();
  }
}

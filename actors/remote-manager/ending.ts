import type { ForkedSite } from '../../lib/fork/fork-method.ts';

/** How long a site may take to end in order once it was asked, in milliseconds: its children end before it. */
const ASK_FOR = 3_000;
/** How long it may take after SIGTERM, in milliseconds. */
const TERMINATE_FOR = 1_000;
/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/** Waits for an end, but not longer than until a signal is aborted; says whether it came. */
const unless = (ended: Promise<unknown>, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const late = () => resolve(false);
    if (signal.aborted) return late();
    signal.addEventListener('abort', late, { once: true });
    void ended.then(() => {
      signal.removeEventListener('abort', late);
      resolve(true);
    });
  });

/** Waits for an end, but not longer than a bound in milliseconds; says whether it came. */
export const within = async (ended: Promise<unknown>, bound: number): Promise<boolean> => {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), bound);
  const came = await unless(ended, late.signal);
  clearTimeout(timer);
  return came;
};

/**
 * How hard a site is pressed to end: it is asked, then gets SIGTERM, then SIGKILL. Whoever wants it gone can shorten
 * that at any time, before it has begun too.
 */
export class Ending {
  /** Aborted when asking has taken as long as it may. */
  readonly #asked = new AbortController();
  /** Aborted when it is not to be waited for at all. */
  readonly #killed = new AbortController();
  readonly #timers: NodeJS.Timeout[] = [];

  /** Whether the site is not asked at all, or not any more. */
  get brutal(): boolean {
    return this.#killed.signal.aborted;
  }

  /** From now on asking may take `timeout` ms at most; the shortest bound that anybody gave wins. */
  hurry(timeout = ASK_FOR): void {
    const bound = timeout >= 0 ? Math.min(timeout, FOREVER) : ASK_FOR;
    this.#timers.push(setTimeout(() => this.#asked.abort(), bound));
  }

  /** Nothing but SIGKILL from now on. */
  kill(): void {
    this.#killed.abort();
    this.#asked.abort();
  }

  /**
   * Has the operating system end a site that does not end within `timeout` ms by itself; `isCutOff` says whether no
   * signal but SIGKILL would do anything to it. Never rejects.
   */
  async press(forked: ForkedSite, timeout: number | undefined, isCutOff: () => boolean): Promise<void> {
    this.hurry(timeout);
    if (await unless(forked.exited, this.#asked.signal)) return;
    if (isCutOff()) await forked.abandon();
    else if (await this.#terminates(forked)) return;
    else await forked.kill('SIGKILL');
    await within(forked.exited, TERMINATE_FOR);
  }

  /** It has ended, or was given up: nobody hurries it any more. */
  over(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #terminates(forked: ForkedSite): Promise<boolean> {
    if (this.brutal) return false;
    // The way to another host takes its time, too.
    const told = forked.kill('SIGTERM').then(() => within(forked.exited, TERMINATE_FOR));
    return (await unless(told, this.#killed.signal)) && told;
  }
}

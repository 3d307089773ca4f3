import type { CallOptions } from '../../lib/wire/call/options.ts';
import { type Calls, release } from '../../lib/wire/reference/handle.ts';
import { type Releasable, referenceOf } from '../../lib/wire/reference/reference.ts';
import type { StableSource } from '../../lib/wire/reference/stable-handle.ts';
import type { RemoteManager } from '../remote-manager.ts';
import type { Child } from './child.ts';

/** How long a call waits for a site that is started again, unless its own time-out says otherwise, in milliseconds. */
const WAIT_FOR = 60_000;

/** Sites that are watched here, and those of them whose session has ended, although their process may not have yet. */
const watched = new WeakSet<RemoteManager>();
const over = new WeakSet<RemoteManager>();

/**
 * Notes the end of a site's session, before a call that dies with it can be made again. Once for each site, and without
 * holding who links there: a program may link a module anew for each call.
 */
const watch = (site: RemoteManager, proxy: object): void => {
  if (watched.has(site)) return;
  watched.add(site);
  (referenceOf(proxy)!.calls as Calls).whenEnded(() => over.add(site));
};

/** A module in whatever site a child is: it is linked anew, at the first call, in each. */
export class Linked implements StableSource {
  readonly #child: Child<RemoteManager>;
  readonly #link: (site: RemoteManager) => object;
  #proxy: object | undefined;
  /** Where that is. */
  #site: RemoteManager | undefined;

  /** `link` gives the module's proxy in a site, which may still be awaited. */
  constructor(child: Child<RemoteManager>, link: (site: RemoteManager) => object) {
    this.#child = child;
    this.#link = link;
  }

  /** The site that there is, if it can be called: not one that is being closed, or was given up. */
  get #usable(): RemoteManager | undefined {
    const site = this.#child.current;
    return site?.state === 'ready' && !over.has(site) ? site : undefined;
  }

  known(): object | undefined {
    const site = this.#usable;
    return site && site === this.#site ? this.#proxy : undefined;
  }

  current(): object | undefined {
    const known = this.known();
    const site = this.#usable;
    if (known || !site) return known;
    const linking = this.#link(site) as PromiseLike<object>;
    this.#site = site;
    this.#proxy = linking;
    // From then on calls go to the module itself, and not through the call that linked it.
    const put = (proxy: object | undefined) => {
      if (this.#proxy === linking) this.#proxy = proxy;
    };
    watch(site, linking);
    // The calls that use it tell why it failed; the next one tries again.
    linking.then(put, () => put(undefined));
    return linking;
  }

  async arrives({ timeout = WAIT_FOR, signal }: CallOptions): Promise<void> {
    const { current } = this.#child;
    const except = current && current !== this.#usable ? { except: current } : {};
    await this.#child.whenUp({ timeout, ...(signal && { signal }), ...except });
  }

  whenEnded(watcher: (cause: unknown) => void): () => void {
    let wanted = true;
    const tell = () => {
      // It tells why it is gone as whoever waits for it is told.
      this.#child.whenUp().catch((cause) => wanted && watcher(cause));
    };
    if (this.#child.state === 'gone') tell();
    else this.#child.on('gone', tell);
    return () => {
      wanted = false;
      this.#child.off('gone', tell);
    };
  }

  release(): void {
    if (this.#proxy) release(this.#proxy as Releasable);
    this.#proxy = undefined;
  }
}

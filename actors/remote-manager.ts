import { randomUUID } from 'node:crypto';
import type { Actor } from 'xstate';
import type { SiteService } from '../lib/engine/site-service.ts';
import type { TreeNode } from '../lib/engine/tree.ts';
import { isSite } from '../lib/engine/watch.ts';
import type { Functor, FunctorImports } from '../lib/module/functor-text.ts';
import type { Remote, RemoteReference } from '../lib/module/remote.ts';
import type { TicketTerms } from '../lib/ticket/keys.ts';
import { bound } from '../lib/wire/call/bound.ts';
import type { CallOptions } from '../lib/wire/call/options.ts';
import { Session } from '../lib/wire/session.ts';
import { orAborted } from './remote-manager/deferred.ts';
import { type Fault, Faults } from './remote-manager/faults.ts';
import { greetingOf } from './remote-manager/greeting.ts';
import type { Health } from './remote-manager/health.ts';
import { Life } from './remote-manager/life.ts';
import type { remoteManagerMachine } from './remote-manager/machine.ts';
import type { ModuleTarget } from './remote-manager/module-target.ts';
import { Modules } from './remote-manager/modules.ts';
import {
  type AttachOptions,
  type CheckedOptions,
  checkOptions,
  type LinkOptions,
  type RemoteManagerOptions,
} from './remote-manager/options.ts';
import { SiteOutput } from './remote-manager/output.ts';
import { Site } from './remote-manager/site.ts';
import { siteNode } from './remote-manager/site-node.ts';
import type { SiteExit, SiteState } from './remote-manager/state.ts';
import { checkTerms, issueTicket, notDetached } from './remote-manager/ticket.ts';
import { forksVirtually, givenWay } from './remote-manager/way.ts';
import { adopt, release } from './root.ts';

/** How long a ping waits, in milliseconds, unless its caller says otherwise. */
const PING_WITHIN = 10_000;
/** How long a site is asked for its part of the tree, in milliseconds, unless its caller says otherwise. */
const TREE_WITHIN = 1_000;

export type { Fault } from './remote-manager/faults.ts';
export type { Health } from './remote-manager/health.ts';
export type { ModuleTarget } from './remote-manager/module-target.ts';
export type { AttachOptions, LinkOptions, RemoteManagerOptions } from './remote-manager/options.ts';
export type { SiteExit, SiteState } from './remote-manager/state.ts';

let sites = 0;

/**
 * The parent's actor for one site, after Mozart's `Remote.manager`: it starts an engine at once, puts modules into it
 * and calls them. Methods called before the site is ready wait for it; `await using` closes it. Throws OptionError.
 */
export class RemoteManager implements AsyncDisposable {
  /** Unique among all sites everywhere. */
  readonly id: string = randomUUID();
  /** As people see it, in messages and before what the site prints. */
  readonly name: string;
  /** As the user wrote it. */
  readonly host: string;
  /** Resolves when the site answers; rejects with ForkError if it never will. */
  readonly ready: Promise<void>;
  /** The state machine behind this, for those who want to observe it; it is not to be sent events. */
  readonly actor: Actor<typeof remoteManagerMachine>;
  readonly #options: CheckedOptions;
  readonly #session: Session;
  readonly #site: Site;
  readonly #service: Remote<SiteService>;
  readonly #modules: Modules;
  readonly #faults: Faults;
  readonly #life: Life;

  constructor(options: RemoteManagerOptions = {}) {
    const way = givenWay(options);
    this.#options = { ...checkOptions(options), ...(way && { way }) };
    const { host, name, stdout, stderr, signal, serve } = this.#options;
    this.host = host;
    this.name = name ?? `${host}/${++sites}`;
    const output = new SiteOutput(this.name, stdout, stderr);
    this.#modules = new Modules({
      name: this.name,
      serve,
      sharesDisk: () => this.#site.sharesDisk,
      session: () => this.#session,
    });
    this.#session = new Session(
      this.name,
      this.#modules.main,
      {
        hello: (greeting) => this.#site.onGreeting(greeting),
        output: (descriptor, text) => output.write(descriptor, text),
        disconnected: (cause) => this.#site.onDisconnected(cause),
      },
      { limits: this.#options.limits, sharesMemory: forksVirtually(this.#options) },
    );
    this.#session.greet(greetingOf(this.#options, this.name));
    isSite(this.#session.main);
    this.#service = this.#session.main as unknown as Remote<SiteService>;
    this.#faults = new Faults(this.name);
    this.#site = new Site(this.#options, this.name, this.#session, output, {
      exited: () => this.#life.send({ type: 'exited' }),
      reach: (reachable) => this.#faults.report(reachable ? 'ok' : 'tempFail'),
    });
    this.#life = new Life({
      name: this.name,
      site: this.#site,
      faults: this.#faults,
      signal,
      onEnd: () => release(this),
    });
    this.actor = this.#life.actor;
    this.ready = this.#life.ready;
    adopt(this, { outlives: this.#options.detach });
    this.#life.start();
  }

  /**
   * The manager of a detached site that was started elsewhere, by this or another process: what the site has is as it was
   * left. `close()` ends the site, `disconnect()` leaves it alone. Throws TicketError and OptionError; a ticket that is
   * refused rejects `ready` with TicketError.
   */
  static attach(ticket: string, options: AttachOptions = {}): RemoteManager {
    return new RemoteManager({ ...options, ticket });
  }

  /** The engine's process id over there, or this process's for a virtual site; `undefined` until it is ready. */
  get pid(): number | undefined {
    return this.#site.greeting?.pid;
  }

  /** The fork method that was chosen, as a word; what the user wrote until it is. */
  get fork(): string {
    const { fork } = this.#options;
    return this.#site.method ?? (typeof fork === 'string' ? fork : fork.join(' '));
  }

  get state(): SiteState {
    return this.#life.state;
  }

  /** Whether it starts, has calls in flight, is out of reach or has ended; and for how long it has been busy. */
  get health(): Health {
    const { state } = this;
    const { busyFor } = this.#session;
    if (state !== 'ready') return { state: state === 'closing' ? 'busy' : state, busyFor };
    if (!this.#site.reachable) return { state: 'unreachable', busyFor };
    return { state: this.inFlight === 0 ? 'idle' : 'busy', busyFor };
  }

  /**
   * What becomes of the site, beginning with how it is: out of reach, back again, and at last ended for good, with which
   * the stream ends. A reader that is slow gets the latest states; `signal` ends it with its reason.
   */
  faults({ signal }: { signal?: AbortSignal } = {}): AsyncIterableIterator<Fault, undefined> {
    return this.#faults.read(signal);
  }

  /** How many calls wait for the site's answer. */
  get inFlight(): number {
    return this.#session.inFlight;
  }

  /**
   * Loads a module in the site and gives a typed proxy of it, usable at once. A `file:` URL of this host travels there
   * with all that it imports; paths are resolved in the site's folder; bare and `node:` names are the site's own.
   * Rejects with the error of the loading.
   */
  link<M extends object>(target: ModuleTarget, options: LinkOptions = {}): RemoteReference<M> {
    return this.#modules.link<M>(target, options);
  }

  /**
   * Makes a functor's module in the site, its imports resolved against `base` or else the site's folder, and gives a
   * proxy of it. It does not enter the site's module table.
   */
  apply<I extends FunctorImports, M extends object>(
    functor: Functor<I, M>,
    base?: ModuleTarget,
    options?: CallOptions,
  ): RemoteReference<M> {
    return this.#modules.apply(functor, base, options);
  }

  /**
   * Installs a module under a key, so that later links, imports and functors find it, also in place of a system module.
   * It may live here or, given as a proxy, in any site. Rejects with KeyTakenError.
   */
  enter(target: ModuleTarget, module: object, options?: CallOptions): Promise<void> {
    return this.#modules.enter(target, module, options);
  }

  /**
   * Drops a module from the site's table: the next link loads it again, and another one may be entered. Proxies that
   * are held keep the old one.
   */
  forget(target: ModuleTarget, options?: CallOptions): Promise<void> {
    return this.#modules.forget(target, options);
  }

  /** Measures a round trip through the site's own loop, in milliseconds; rejects if the site is dead. */
  async ping({ timeout = PING_WITHIN, signal }: CallOptions = {}): Promise<number> {
    // Only while it starts: once it was closed, the session says so.
    if (this.state === 'starting') await orAborted(this.ready, signal);
    const start = performance.now();
    await bound(this.#session.ping(), `A ping to ${this.name}`, { timeout, signal });
    return performance.now() - start;
  }

  /** This site and what it has forked itself, as `tree()` shows them; it is asked for `timeout` ms. Never rejects. */
  tree({ timeout = TREE_WITHIN }: { timeout?: number } = {}): Promise<TreeNode> {
    return siteNode(this, () => bound(this.#service.tree(timeout), `Asking ${this.name}`, { timeout }));
  }

  /**
   * Ends the site in order: calls in flight reject, its own sites are closed, and its process is gone when this
   * resolves. After `timeout` ms of asking it uses SIGTERM, then SIGKILL. `cause` is attached to what calls reject with.
   * Can be called again; never rejects.
   */
  async close({ timeout, cause }: { timeout?: number; cause?: unknown } = {}): Promise<void> {
    this.#site.closeCause ??= cause;
    // A site that runs already is to end, although nobody has reached it yet; the option timeout bounds the way there.
    if (this.#options.ticket && this.state === 'starting') await this.ready.catch(() => {});
    this.#life.send({ type: 'close', timeout });
    await this.#life.ended;
  }

  /**
   * Ends the site at once, without asking it: SIGKILL for its process and all of its group, wherever it runs; a virtual
   * site's thread is terminated. Sites that it has forked are ended by their lifelines. `cause` as for `close`. Never rejects.
   */
  async kill({ cause }: { cause?: unknown } = {}): Promise<void> {
    this.#site.closeCause ??= cause;
    this.#life.send({ type: 'kill' });
    await this.#life.ended;
  }

  /**
   * Text by which any process of the same user can attach to this detached site; it holds a secret. It lasts as long as
   * the site, unless its terms say less. Rejects with OptionError if the site is not detached.
   */
  async ticket(terms: TicketTerms = {}): Promise<string> {
    if (!this.#options.detach) throw notDetached(this.name, 'can not be attached to');
    checkTerms(terms);
    await this.ready;
    const at = { name: this.name, here: this.#site.here };
    return issueTicket(this.#session, this.#options, at, terms);
  }

  /**
   * Lets go of a detached site, which lives on: calls in flight reject, and what each side held of the other is freed.
   * Rejects with OptionError if the site is not detached.
   */
  async disconnect(): Promise<void> {
    if (!this.#options.detach) throw notDetached(this.name, 'can not be left alone');
    // What has not started can't be left alone; if it never does, nothing of it is left anyway.
    await this.ready.catch(() => {});
    this.#site.leaves ||= this.state === 'ready';
    await this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Calls `listener` once the site has ended, however it did; soon, if it has already. */
  on(event: 'exit', listener: (exit: SiteExit) => void): this {
    this.#life.on(event, listener);
    return this;
  }

  /** Takes a listener back. */
  off(event: 'exit', listener: (exit: SiteExit) => void): this {
    this.#life.off(event, listener);
    return this;
  }
}

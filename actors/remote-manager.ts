import { randomUUID } from 'node:crypto';
import { EventEmitter, setMaxListeners } from 'node:events';
import { type Actor, createActor } from 'xstate';
import type { SiteService } from '../lib/engine/site-service.ts';
import { FunctorError } from '../lib/module/errors.ts';
import { type Functor, type FunctorImports, functorScript, isFunctor } from '../lib/module/functor.ts';
import { namesOf, remoteNames } from '../lib/module/names.ts';
import type { Remote, RemoteReference } from '../lib/module/remote.ts';
import type { SourceService } from '../lib/module/source/service.ts';
import { linkAll, Sources } from '../lib/module/source/sources.ts';
import type { LinkWish } from '../lib/module/table.ts';
import type { TicketTerms } from '../lib/ticket/keys.ts';
import { bound } from '../lib/wire/call/bound.ts';
import type { CallOptions } from '../lib/wire/call/options.ts';
import { byReference, referenceOf } from '../lib/wire/reference/reference.ts';
import { Session } from '../lib/wire/session.ts';
import { deferred, unlessAborted } from './remote-manager/deferred.ts';
import { exitOf, notStarted } from './remote-manager/exit.ts';
import { greetingOf } from './remote-manager/greeting.ts';
import { type RemoteManagerEvent, remoteManagerMachine } from './remote-manager/machine.ts';
import { describeKey, type ModuleTarget, moduleKey } from './remote-manager/module-target.ts';
import {
  type AttachOptions,
  type CheckedOptions,
  checkLinkOptions,
  checkOptions,
  type LinkOptions,
  type RemoteManagerOptions,
} from './remote-manager/options.ts';
import { SiteOutput } from './remote-manager/output.ts';
import { Site } from './remote-manager/site.ts';
import type { Health, SiteExit, SiteState } from './remote-manager/state.ts';
import { checkTerms, issueTicket, notDetached } from './remote-manager/ticket.ts';
import { forksVirtually } from './remote-manager/way.ts';
import { adopt, release } from './root.ts';

/** How long a ping waits, in milliseconds, unless its caller says otherwise. */
const PING_WITHIN = 10_000;
/** A site with calls in flight from which nothing at all came for this long is out of reach, in milliseconds. */
const UNREACHABLE_AFTER = 2_000;

export type { ModuleTarget } from './remote-manager/module-target.ts';
export type { AttachOptions, LinkOptions, RemoteManagerOptions } from './remote-manager/options.ts';
export type { Health, SiteExit, SiteState } from './remote-manager/state.ts';

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
  readonly #sources: Sources;
  readonly #events = new EventEmitter<{ exit: [SiteExit] }>();
  readonly #ended: Promise<void>;

  constructor(options: RemoteManagerOptions = {}) {
    this.#options = checkOptions(options);
    const { host, name, stdout, stderr, signal, serve } = this.#options;
    this.host = host;
    this.name = name ?? `${host}/${++sites}`;
    const output = new SiteOutput(this.name, stdout, stderr);
    // Only this is for the site to call: what it may read is decided here.
    this.#sources = new Sources(serve, () => this.#site.sharesDisk);
    const main: SourceService = {
      describe: (...args) => this.#sources.describe(...args),
      resolve: (...args) => this.#sources.resolve(...args),
      sources: (hashes) => this.#sources.sources(hashes),
    };
    this.#session = new Session(
      this.name,
      main,
      {
        hello: (greeting) => this.#site.onGreeting(greeting),
        output: (descriptor, text) => output.write(descriptor, text),
        disconnected: (cause) => this.#site.onDisconnected(cause),
      },
      { limits: this.#options.limits, sharesMemory: forksVirtually(this.#options) },
    );
    this.#session.greet(greetingOf(this.#options, this.name));
    this.#service = this.#session.main as unknown as Remote<SiteService>;
    this.#site = new Site(this.#options, this.name, this.#session, output, () =>
      this.#send({ type: 'exited' }),
    );
    this.actor = createActor(remoteManagerMachine, { input: { life: this.#site } });
    const { promise: ready, resolve, reject } = deferred<void>();
    const { promise: ended, resolve: end } = deferred<void>();
    this.ready = ready;
    this.#ended = ended;
    // Who only calls learns of a failed start from the calls.
    ready.catch(() => {});
    this.actor.subscribe(({ value, context, status }) => {
      if (value === 'ready') resolve();
      if (status !== 'done') return;
      // Closed in the very turn in which the engine greeted: it was ready, though the machine had not come to it.
      if (this.#site.greeting) resolve();
      else reject(context.failure ?? notStarted(this.name, signal));
      release(this);
      signal?.removeEventListener('abort', this.#abort);
      // First, because a listener may throw.
      end();
      this.#events.emit('exit', this.#exit());
    });
    if (!this.#options.detach) adopt(this);
    this.actor.start();
    // One signal for many sites is what a signal is for.
    if (signal) setMaxListeners(0, signal);
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
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
    return this.actor.getSnapshot().value;
  }

  get health(): Health {
    const { state } = this;
    if (state !== 'ready') return state === 'closing' ? 'busy' : state;
    if (this.#session.inFlight === 0) return 'idle';
    const silent = performance.now() - (this.#site.heardAt ?? 0);
    return silent > UNREACHABLE_AFTER ? 'unreachable' : 'busy';
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
    const { origin, fresh } = checkLinkOptions(options);
    const key = moduleKey(target);
    if (origin !== 'site') this.#sources.link(key, origin === 'parent');
    const wish: LinkWish | undefined = origin || fresh ? { origin, fresh } : undefined;
    const linked = wish ? this.#service.link(key, wish) : this.#service.link(key);
    return bound(
      linked as unknown as RemoteReference<M>,
      `Linking ${describeKey(key)} in ${this.name}`,
      options,
    );
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
    if (!isFunctor(functor)) {
      throw new FunctorError(`Only a functor can be applied in a site; make one with functor(…) first.`);
    }
    const text = { import: functor.import, script: functorScript(functor) };
    const key = base === undefined ? undefined : moduleKey(base);
    if (key) this.#sources.link(key);
    linkAll(this.#sources, Object.values(functor.import));
    return bound(
      this.#service.apply(text, key) as unknown as RemoteReference<M>,
      `Applying a functor in ${this.name}`,
      options,
    );
  }

  /**
   * Installs a module under a key, so that later links, imports and functors find it, also in place of a system module.
   * It may live here or, given as a proxy, in any site. Rejects with KeyTakenError.
   */
  async enter(target: ModuleTarget, module: object, options?: CallOptions): Promise<void> {
    const key = moduleKey(target);
    const names = referenceOf(module) ? await remoteNames(module, this.#session) : namesOf(module);
    const entered = names
      ? this.#service.enter(key, byReference(module), names)
      : this.#service.enter(key, module);
    await bound(entered, `Entering ${describeKey(key)} in ${this.name}`, options);
  }

  /**
   * Drops a module from the site's table: the next link loads it again, and another one may be entered. Proxies that
   * are held keep the old one.
   */
  async forget(target: ModuleTarget, options?: CallOptions): Promise<void> {
    const key = moduleKey(target);
    await bound(this.#service.forget(key), `Forgetting ${describeKey(key)} in ${this.name}`, options);
  }

  /** Measures a round trip through the site's own loop, in milliseconds; rejects if the site is dead. */
  async ping({ timeout = PING_WITHIN, signal }: CallOptions = {}): Promise<number> {
    // Only while it starts: once it was closed, the session says so.
    if (this.state === 'starting') await unlessAborted(this.ready, signal);
    const start = performance.now();
    await bound(this.#session.ping(), `A ping to ${this.name}`, { timeout, signal });
    return performance.now() - start;
  }

  /**
   * Ends the site in order: calls in flight reject, its own sites are closed, and its process is gone when this
   * resolves. After `timeout` ms of asking it uses SIGTERM, then SIGKILL. Can be called again; never rejects.
   */
  async close({ timeout }: { timeout?: number } = {}): Promise<void> {
    this.#send({ type: 'close', timeout });
    await this.#ended;
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
    if (this.actor.getSnapshot().status === 'active') this.#events.on(event, listener);
    else queueMicrotask(() => listener(this.#exit()));
    return this;
  }

  /** Takes a listener back. */
  off(event: 'exit', listener: (exit: SiteExit) => void): this {
    this.#events.off(event, listener);
    return this;
  }

  /** What happens to a site that has ended does not matter any more. */
  #send(event: RemoteManagerEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  readonly #abort = (): void => {
    void this.close();
  };

  #exit(): SiteExit {
    const { value: state, context } = this.actor.getSnapshot();
    const { death, leaves: left } = this.#site;
    return exitOf({ state, death, failure: context.failure, left });
  }
}

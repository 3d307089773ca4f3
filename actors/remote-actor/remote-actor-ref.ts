import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import { withOptions } from '../../lib/wire/reference/handle.ts';
import { type Releasable, RemoteTarget } from '../../lib/wire/reference/reference.ts';
import { unpack } from './crossing.ts';
import { InOrder } from './in-order.ts';
import { Mailbox } from './mailbox.ts';
import type { ActorAddress, ObserverService, PortService, Report } from './protocol.ts';
import { snapshotOf, unheard } from './snapshot.ts';

type Listener = (event: EventObject) => void;
interface Observer {
  next?: (snapshot: Snapshot<unknown>) => void;
  error?: (error: unknown) => void;
  complete?: () => void;
}
interface Subscription {
  unsubscribe(): void;
}

/** As XState does it: what nobody catches is thrown where the process learns of it. */
const reportUnhandled = (error: unknown): void => {
  setTimeout(() => {
    throw error;
  });
};

/** Takes reports in their order and hands each on. */
export class Observing extends RemoteTarget implements ObserverService {
  readonly #order = new InOrder();
  #take: (report: Report) => void;

  constructor(take: (report: Report) => void) {
    super();
    this.#take = take;
  }

  /**
   * Takes nothing any more, and holds nobody: the actor's site may hold this as long as this site holds the actor, which
   * neither collector would ever see through.
   */
  close(): void {
    this.#take = () => {};
  }

  /** See ObserverService. */
  async receive(number: number, reports: readonly Report[], references: boolean): Promise<void> {
    await this.#order.take(number, () => {
      for (const report of references ? unpack(reports) : reports) this.#take(report);
    });
  }
}

/**
 * An actor of another site that came in an event, a context or the like: it can be sent events, and be watched. It is
 * watched over there as long as somebody subscribes here; only who has started it can stop it.
 */
export class RemoteActorRef {
  readonly id: string;
  readonly sessionId: string;
  readonly systemId: string | undefined;
  readonly src: string = 'offsite';
  readonly #port: PortService;
  readonly #observers = new Set<Observer>();
  readonly #listeners = new Set<{ type: string; listener: Listener }>();
  #mailbox: Mailbox | undefined;
  #snapshot: Snapshot<unknown> = unheard(undefined);
  #watching: AbortController | undefined;
  #ended = false;
  /** The actor's parent, where that is known: XState's inspectors draw trees by it. */
  _parent: AnyActorRef | undefined;

  constructor(port: object, { id, sessionId, systemId }: ActorAddress) {
    this.#port = port as PortService;
    this.id = id;
    this.sessionId = sessionId;
    this.systemId = systemId;
  }

  /** Itself, by which XState knows an actor. */
  get ref(): this {
    return this;
  }

  /** Sends an event; throws MailboxFullError, and UnserializableError for what can't cross. */
  readonly send = (event: EventObject): void => {
    this.#mailbox ??= new Mailbox({ id: this.id, site: 'another site' }, this.#port.inlet());
    this.#mailbox.post(event);
  };

  /** The same, as XState calls it when an actor sends. */
  _send(event: EventObject): void {
    this.send(event);
  }

  /** The snapshot that was heard of last; that of now is asked for, so a later look finds it. */
  getSnapshot(): Snapshot<unknown> {
    if (!this.#watching && !this.#ended) {
      this.#port.look().then(
        (report) => this.#watching || this.#take(unpack(report)),
        () => {},
      );
    }
    return this.#snapshot;
  }

  /** Its state can only be had later: see `persist`. */
  getPersistedSnapshot(): Snapshot<unknown> {
    return { status: 'active', output: undefined, error: undefined };
  }

  /** Asks the actor's site for its state. */
  persist(): PromiseLike<Snapshot<unknown>> {
    return this.#port.persist();
  }

  /** Tells of every snapshot, of the end and of the error; see XState. */
  subscribe(
    observer: Observer | ((snapshot: Snapshot<unknown>) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription {
    const entry: Observer = typeof observer === 'function' ? { next: observer, error, complete } : observer;
    this.#observers.add(entry);
    this.#watch();
    return { unsubscribe: () => this.#leave(() => this.#observers.delete(entry)) };
  }

  /** Tells of emitted events of a type, or of all with `*`. */
  on(type: string, listener: Listener): Subscription {
    const entry = { type, listener };
    this.#listeners.add(entry);
    this.#watch();
    return { unsubscribe: () => this.#leave(() => this.#listeners.delete(entry)) };
  }

  /** Started where it lives. */
  start(): this {
    return this;
  }

  /** Only who has started an actor stops it; throws Error, as XState does for actors that have a parent. */
  stop(): never {
    throw new Error('An actor of another site can only be stopped by the actor that has started it.');
  }

  toJSON(): { xstate$$type: number; id: string } {
    return { xstate$$type: 1, id: this.id };
  }

  #leave(remove: () => void): void {
    remove();
    if (this.#observers.size + this.#listeners.size > 0) return;
    this.#watching?.abort();
    this.#watching = undefined;
  }

  #watch(): void {
    if (this.#watching) return;
    const watching = new AbortController();
    this.#watching = watching;
    const port = this.#port as unknown as Releasable & {
      watch(observer: ObserverService): PromiseLike<void>;
    };
    const options: CallOptions = { signal: watching.signal };
    const observing = new Observing((report) => watching === this.#watching && this.#take(report));
    const end = (tell: (observer: Observer) => void) => {
      observing.close();
      if (watching !== this.#watching) return;
      this.#ended = true;
      const observers = [...this.#observers];
      this.#observers.clear();
      this.#listeners.clear();
      this.#watching = undefined;
      for (const observer of observers) tell(observer);
    };
    watching.signal.addEventListener('abort', () => observing.close(), { once: true });
    withOptions(port, options)
      .watch(observing)
      .then(
        () => end((observer) => observer.complete?.()),
        (error) => {
          if (watching === this.#watching) {
            this.#snapshot = { status: 'error', output: undefined, error };
          }
          end((observer) => (observer.error ? observer.error(error) : reportUnhandled(error)));
        },
      );
  }

  #take(report: Report): void {
    if (report[0] === 'snapshot') {
      this.#snapshot = snapshotOf(report[1] as object, undefined);
      for (const observer of [...this.#observers]) observer.next?.(this.#snapshot);
    } else if (report[0] === 'emitted') {
      const event = report[1] as EventObject;
      for (const { type, listener } of [...this.#listeners]) {
        if (type === '*' || type === event.type) listener(event);
      }
    }
  }
}

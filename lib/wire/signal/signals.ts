import { ProtocolError } from '../errors.ts';
import { passed } from '../limits.ts';

/** What signals need of a session. */
export interface SignalPort {
  /** Chooses an id of ours, never used again. */
  nextId(): number;
  abort(id: number, reason: unknown): void;
  forget(id: number): void;
}

/**
 * AbortSignals that cross. The owner tells of the abort, or that it can't come any more because nobody holds the signal;
 * until then the other side's copy lives, and with it the listeners that user code has put on it.
 */
export class Signals {
  readonly #port: SignalPort;
  readonly #bound: () => number;
  /** Ours, by the id under which the peer knows them. */
  readonly #given = new Map<number, WeakRef<AbortSignal>>();
  readonly #ids = new WeakMap<AbortSignal, number>();
  /** How many of ours can still be aborted, as far as the peer knows; it holds no more than these. */
  #open = 0;
  /** Those of ours that were aborted and are not collected yet: the peer has forgotten them. */
  readonly #aborted = new Set<number>();
  /** The peer's, by its id. */
  readonly #taken = new Map<number, AbortController>();
  readonly #homes = new WeakMap<AbortSignal, number>();
  readonly #collected = new FinalizationRegistry<number>((id) => {
    if (!this.#given.delete(id)) return;
    if (this.#aborted.delete(id)) return;
    this.#open--;
    this.#port.forget(id);
  });

  /** `bound` gives how many signals of the peer may be held at once. */
  constructor(port: SignalPort, bound: () => number) {
    this.#port = port;
    this.#bound = bound;
  }

  /** How many signals each side holds of the other. */
  get sizes(): { exports: number; imports: number } {
    return { exports: this.#given.size, imports: this.#taken.size };
  }

  /** The id under which the peer knows a signal that is not aborted yet; `home` if it is the peer's own. Throws LimitError. */
  give(signal: AbortSignal): { id: number; home: boolean } {
    const home = this.#homes.get(signal);
    if (home !== undefined && this.#taken.has(home)) return { id: home, home: true };
    const known = this.#ids.get(signal);
    if (known !== undefined) return { id: known, home: false };
    if (this.#open >= this.#bound()) {
      throw passed('references', this.#bound(), 'The other site holds too many signals of this one');
    }
    const id = this.#port.nextId();
    this.#open++;
    this.#given.set(id, new WeakRef(signal));
    this.#ids.set(signal, id);
    this.#collected.register(signal, id);
    // Holds nothing but the id, so that the signal can be collected; once it is, so is this.
    signal.addEventListener('abort', (event) => this.#onOurs(id, (event.target as AbortSignal).reason), {
      once: true,
    });
    return { id, home: false };
  }

  /** The signal that the peer means; throws ProtocolError for one too many, RangeError for what can't be one. */
  take(id: number, home: boolean): AbortSignal {
    // One of ours that was collected while the peer sent it home can't be aborted by anybody.
    if (home) return this.#given.get(id)?.deref() ?? new AbortController().signal;
    const known = this.#taken.get(id);
    if (known) return known.signal;
    if (!(id < 0)) throw new RangeError(`${id} is no id that the peer could have given to a signal.`);
    if (this.#taken.size >= this.#bound())
      throw new ProtocolError(`The peer sent more than ${this.#bound()} signals.`);
    const controller = new AbortController();
    this.#taken.set(id, controller);
    this.#homes.set(controller.signal, id);
    return controller.signal;
  }

  /** The peer's signal was aborted; one that was never taken, or was forgotten, is nobody's. */
  onAbort(id: number, reason: unknown): void {
    const controller = this.#taken.get(id);
    this.#taken.delete(id);
    controller?.abort(reason);
  }

  /** The peer's signal will never be aborted. */
  onForget(id: number): void {
    this.#taken.delete(id);
  }

  /** The peer is gone, and with it whoever could have wanted what was done for it: its signals are aborted. */
  end(reason: unknown): void {
    const taken = [...this.#taken.values()];
    this.#taken.clear();
    this.#given.clear();
    this.#aborted.clear();
    this.#open = 0;
    for (const controller of taken) controller.abort(reason);
  }

  #onOurs(id: number, reason: unknown): void {
    // It stays in the table until it is collected: the peer may be sending it home now.
    if (!this.#given.has(id)) return;
    this.#aborted.add(id);
    this.#open--;
    this.#port.abort(id, reason);
  }
}

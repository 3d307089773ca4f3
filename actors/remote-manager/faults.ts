import { whenAborted } from '../../lib/wire/call/when-aborted.ts';

/** What has become of a site, in Mozart's words (`DP.getFaultStream`). */
export interface Fault {
  /** The site's name. */
  readonly site: string;
  /** `tempFail` is out of reach and may come back, `permFail` has ended for good. */
  readonly state: 'ok' | 'tempFail' | 'permFail';
  /** When this was learned, in milliseconds since 1970. */
  readonly at: number;
  /** What calls reject with since then; for `tempFail` there is none, they wait. */
  readonly cause?: unknown;
}

/** So many changes wait for a reader that is slow; of more, the oldest are dropped. */
const MOST_WAITING = 16;

/** One reader of a site's faults. */
class FaultReader implements AsyncIterableIterator<Fault, undefined> {
  readonly #faults: Faults;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: Fault[] = [];
  readonly #asking: {
    resolve(result: IteratorResult<Fault, undefined>): void;
    reject(cause: unknown): void;
  }[] = [];
  #unlisten: (() => void) | undefined;
  #begun = false;
  #ended = false;

  constructor(faults: Faults, signal: AbortSignal | undefined) {
    this.#faults = faults;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Fault, undefined>> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ resolve, reject });
      this.#begin();
      this.#answer();
    });
  }

  async return(): Promise<IteratorResult<Fault, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    this.#answer();
    return { done: true, value: undefined };
  }

  /** The site's state has changed. */
  tell(fault: Fault): void {
    if (this.#waiting.push(fault) > MOST_WAITING) this.#waiting.shift();
    if (fault.state === 'permFail') this.#end();
    this.#answer();
  }

  /** Only once somebody reads: a reader that nobody uses must leave nothing behind. */
  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    if (this.#ended) return;
    const signal = this.#signal;
    if (signal?.aborted) return this.#aborted();
    if (signal) this.#unlisten = whenAborted(signal, this.#aborted);
    this.#faults.join(this);
  }

  readonly #aborted = (): void => {
    this.#waiting.length = 0;
    this.#end();
    const asking = this.#asking.shift();
    asking?.reject(this.#signal?.reason);
    this.#answer();
  };

  #end(): void {
    this.#ended = true;
    this.#faults.leave(this);
    this.#unlisten?.();
  }

  #answer(): void {
    while (this.#asking.length > 0) {
      const value = this.#waiting.shift();
      if (value) this.#asking.shift()!.resolve({ done: false, value });
      else if (this.#ended) this.#asking.shift()!.resolve({ done: true, value: undefined });
      else return;
    }
  }
}

/** What becomes of one site, for as many readers as like. */
export class Faults {
  readonly #readers = new Set<FaultReader>();
  #now: Fault;

  /** `site` is the site's name; it begins as `ok`. */
  constructor(site: string) {
    this.#now = { site, state: 'ok', at: Date.now() };
  }

  /** How many read at present. */
  get readers(): number {
    return this.#readers.size;
  }

  /** The state has changed; after `permFail` it never does. */
  report(state: Fault['state'], cause?: unknown): void {
    if (this.#now.state === state || this.#now.state === 'permFail') return;
    this.#now = { site: this.#now.site, state, at: Date.now(), ...(cause !== undefined && { cause }) };
    for (const reader of [...this.#readers]) reader.tell(this.#now);
  }

  /** A reader that begins with the state as it is. */
  read(signal?: AbortSignal): AsyncIterableIterator<Fault, undefined> {
    return new FaultReader(this, signal);
  }

  /** A reader begins. */
  join(reader: FaultReader): void {
    this.#readers.add(reader);
    reader.tell(this.#now);
  }

  /** A reader has ended. */
  leave(reader: FaultReader): void {
    this.#readers.delete(reader);
  }
}

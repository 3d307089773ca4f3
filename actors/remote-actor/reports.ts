import type { EventObject, Snapshot } from 'xstate';
import { type Packed, pack } from './crossing.ts';
import { MailboxFullError } from './errors.ts';
import type { ObserverService, Report } from './protocol.ts';
import { refusalOf } from './refusal.ts';
import { reportOf, reportWithout } from './snapshot.ts';

/** How many reports leave in one call at most. */
const BATCH = 256;

/** A report that has not left yet. */
interface Waiting extends Packed {
  readonly report: Report;
}

const asWaiting = (report: Report): Waiting => ({ report, value: report, references: false, plain: false });

/** Whose reports these are, and how many of them may wait for their observer. */
export interface Reported {
  readonly id: string;
  readonly site: string;
  readonly bound: number;
  readonly snapshots: 'all' | 'latest';
}

/**
 * What an actor does, on its way to an observer in another site: in order, in batches, and with a bound. An observer
 * that is behind gets the newest snapshot and not those between, and no inspection; emitted events are never left out.
 */
export class Reports {
  readonly #of: Reported;
  readonly #observer: ObserverService;
  readonly #fail: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #unacknowledged = 0;
  #number = 0;
  #scheduled = false;
  #drained: (() => void) | undefined;

  /** `fail` ends the actor, because nobody takes what it has to tell, or because its output can't be told. */
  constructor(of: Reported, observer: ObserverService, fail: (error: unknown) => void) {
    this.#of = of;
    this.#observer = observer;
    this.#fail = fail;
  }

  snapshot(snapshot: Snapshot<unknown>): void {
    if (this.#behind || this.#of.snapshots === 'latest') {
      const last = this.#waiting.findLastIndex(({ report }) => report[0] === 'snapshot');
      if (last >= 0) this.#waiting.splice(last, 1);
    }
    this.#add(['snapshot', reportOf(snapshot)]);
  }

  emitted(event: EventObject): void {
    this.#addEvent(['emitted', event]);
  }

  /** The actor has sent an event to its parent. */
  sentUp(event: EventObject): void {
    this.#addEvent(['sentUp', event]);
  }

  #addEvent(report: Report): void {
    if (this.#behind && this.#waiting.length >= this.#of.bound) {
      this.#waiting.length = 0;
      this.#fail(new MailboxFullError(`that watches ${this.#of.id}`, 'another site', this.#of.bound));
      return;
    }
    this.#add(report);
  }

  inspected(event: unknown): void {
    if (!this.#behind) this.#add(['inspected', event]);
  }

  /** Resolves when the observer has taken all that was told, or is gone. */
  async drained(): Promise<void> {
    this.#flush();
    if (this.#unacknowledged === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  get #behind(): boolean {
    return this.#unacknowledged >= this.#of.bound;
  }

  #add(report: Report): void {
    this.#waiting.push({ report, ...pack(report) });
    if (this.#of.snapshots === 'all' && this.#waiting.length >= BATCH) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.#behind) {
      const batch = this.#waiting.splice(0, this.#nextBatch);
      if (!this.#send(batch)) continue;
      for (const entry of batch) {
        const refusal = this.#send([entry]);
        if (refusal) this.#sendInstead(entry.report, refusal);
      }
    }
  }

  /** How many reports go together: what may be refused goes alone, so that the others are none the worse for it. */
  get #nextBatch(): number {
    const most = Math.min(this.#waiting.length, BATCH);
    for (let i = 0; i < most; i++) if (!this.#waiting[i]!.plain) return Math.max(i, 1);
    return most;
  }

  /** Sends a batch; gives the reason if it can't be sent, and then nothing was. */
  #send(batch: readonly Waiting[]): Error | undefined {
    const number = this.#number;
    const reports = batch.map(({ value }) => value as Report);
    const references = batch.some((entry) => entry.references);
    const answer = this.#observer.receive(number, reports, references);
    const refusal = refusalOf(answer);
    if (refusal) return refusal;
    this.#number++;
    this.#unacknowledged += batch.length;
    const taken = () => {
      this.#unacknowledged -= batch.length;
      this.#flush();
      if (this.#unacknowledged > 0 || this.#waiting.length > 0) return;
      this.#drained?.();
    };
    answer.then(taken, (cause: Error & { code?: unknown }) => {
      // An observer that is gone takes no more, which the end of its session tells the actor. One that could not read
      // this waits for its number.
      if (cause.code === 'ERR_OFFSITE_UNDECODABLE') {
        this.#observer.receive(number, [], false).then(undefined, () => {});
        for (const { report } of batch) this.#sendInstead(report, cause);
      }
      taken();
    });
    return undefined;
  }

  /** Tells what can be told of something that can't cross. */
  #sendInstead(report: Report, refusal: Error): void {
    if (report[0] === 'emitted' || report[0] === 'sentUp') {
      const type = String((report[1] as EventObject).type);
      this.#send([asWaiting(['refused', type, refusal])]);
    } else if (report[0] === 'snapshot') {
      const bare = asWaiting(['snapshot', reportWithout(report[1] as object, refusal)]);
      // Then it is the output: whoever started the actor waits for nothing else.
      if (this.#send([bare])) this.#fail(refusal);
    }
  }
}

import { Buffer } from 'node:buffer';
import { FLAGS_AT, HEADER, Kind } from '../../lib/wire/frame/frame.ts';
import { type Beside, HIGH_WATER, type Link, type LinkReceiver } from '../../lib/wire/link/link.ts';
import { Waiters } from '../../lib/wire/link/waiters.ts';
import { Session } from '../../lib/wire/session.ts';

export type KindName = keyof typeof Kind;

/** One frame as it went over a link. */
export interface Sent {
  readonly kind: KindName | 'unknown';
  readonly flags: number;
  readonly id: number;
}

const nameOf = (kind: number | undefined): KindName | 'unknown' =>
  (Object.keys(Kind) as KindName[]).find((name) => Kind[name] === kind) ?? 'unknown';

const framesOf = (bytes: Buffer): Sent[] => {
  const frames: Sent[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) {
    frames.push({
      kind: nameOf(bytes[at + 4]),
      flags: bytes[at + FLAGS_AT]!,
      id: bytes.readDoubleLE(at + HEADER),
    });
  }
  return frames;
};

/** One end of a link in memory; what it delivers is overwritten afterwards, as a real link's memory is. */
export class MemoryLink implements Link {
  /** Every frame that was sent from this end. */
  readonly sent: Sent[] = [];
  /** How often something was sent: what went together counts once. */
  sends = 0;
  /** Whether the session wants the process to stay alive. */
  referenced = true;
  destroyed = false;
  /** What it says of itself; it carries what lies beside in any case. */
  sharesMemory = false;
  peer!: MemoryLink;
  readonly #held: [Buffer, Beside['values'] | undefined][] = [];
  readonly #drained = new Waiters();
  #holds = false;
  #receiver: LinkReceiver | undefined;

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  send(bytes: Buffer, beside?: Beside): boolean {
    if (this.destroyed) return false;
    this.sends++;
    for (const frame of framesOf(bytes)) this.sent.push(frame);
    const copy = Buffer.from(bytes);
    const values = beside && structuredClone(beside.values, { transfer: beside.transfer });
    if (this.#holds) this.#held.push([copy, values]);
    else queueMicrotask(() => this.peer.deliver(copy, values));
    return false;
  }

  /** Hands bytes to this end's session, not at the beginning of their buffer. */
  deliver(bytes: Buffer, beside?: Beside['values']): void {
    if (this.destroyed) return;
    const memory = Buffer.alloc(bytes.length + 24, 0xee);
    bytes.copy(memory, 12);
    this.#receiver?.receive(memory, 12, 12 + bytes.length, beside);
    memory.fill(0xdd);
  }

  /** What happens while this end's session waits synchronously. */
  onWait: (timeout: number) => void = () => {};

  receiveSync(timeout: number): void {
    this.onWait(timeout);
  }

  /** Keeps back from now on what is sent from this end. */
  hold(): void {
    this.#holds = true;
  }

  /** Delivers what was kept back. */
  letGo(): void {
    this.#holds = false;
    for (const [bytes, beside] of this.#held.splice(0)) this.peer.deliver(bytes, beside);
    this.#drained.release();
  }

  /** How many frames of a kind were sent from this end. */
  count(kind: KindName): number {
    return this.sent.filter((frame) => frame.kind === kind).length;
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }

  expect(): void {}

  get waiting(): number {
    return this.#held.reduce((sum, [bytes]) => sum + bytes.length, 0);
  }

  get congested(): boolean {
    return !this.destroyed && this.waiting > HIGH_WATER;
  }

  async drained(): Promise<void> {
    if (this.congested) await this.#drained.wait();
  }

  async flushed(): Promise<void> {}

  destroy(cause?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#drained.release();
    this.#receiver?.disconnected(cause);
    queueMicrotask(() => this.peer.destroy());
  }
}

/** The two ends of a link in memory. */
export const memoryLinks = (): [MemoryLink, MemoryLink] => {
  const ends: [MemoryLink, MemoryLink] = [new MemoryLink(), new MemoryLink()];
  [ends[0].peer, ends[1].peer] = [ends[1], ends[0]];
  return ends;
};

/** A session, its end of the link and what it told its owner. */
export interface End {
  readonly session: Session;
  readonly link: MemoryLink;
  readonly events: {
    readonly hello: unknown[];
    readonly output: [number, string][];
    readonly disconnected: (Error | undefined)[];
    closes: number;
  };
}

/** A session over one end of a link, attached unless the spec does that itself. */
export const endOf = (name: string, main: object | undefined, link: MemoryLink, attach = true): End => {
  const events: End['events'] = { hello: [], output: [], disconnected: [], closes: 0 };
  const session = new Session(name, main, {
    hello: (greeting) => void events.hello.push(greeting),
    output: (descriptor, text) => void events.output.push([descriptor, text]),
    close: () => void events.closes++,
    disconnected: (cause) => void events.disconnected.push(cause),
  });
  if (attach) session.attach(link);
  return { session, link, events };
};

/** What a session's main object looks like from the other side, for specs that know what is there. */
// biome-ignore lint/suspicious/noExplicitAny: a proxy answers to every name, and these specs use them all.
export type Anything = any; // eslint-disable-line @typescript-eslint/no-explicit-any

/** Two sessions over a link in memory: `near` calls, `far` has the main object. */
export const pair = (main: object, nearMain?: object) => {
  const [nearLink, farLink] = memoryLinks();
  const near = endOf('far', nearMain, nearLink);
  const far = endOf('near', main, farLink);
  return { near, far, remote: near.session.main as Anything };
};

/** Waits for all that is on its way between sessions in memory. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export { rejection } from '../support/sites.ts';

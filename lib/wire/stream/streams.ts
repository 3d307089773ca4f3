import { LimitError, ProtocolError } from '../errors.ts';
import { Channel } from './channel.ts';
import { Consumer } from './consumer.ts';
import { Feed } from './feed.ts';
import { RemoteIterator } from './iterable.ts';
import { isAsyncIterable, isReadableStream, type StreamKind, type StreamRecord, streamKind } from './kind.ts';
import type { ConsumerEnd, ProducerEnd, StreamEnd, StreamPort } from './port.ts';
import { Producer } from './producer.ts';
import { remoteReadable } from './readable.ts';
import { IterableSource, ReadableSource } from './source.ts';
import { Sink } from './writable.ts';

/** The ends of streams whose ids one side chose. */
interface Table {
  readonly ends: Map<number, StreamEnd>;
  /** The last id that was given out. Ids fall, so what is above it may have been a stream's, and what is below not. */
  last: number;
}

/** The streams of one session: what the peer reads and writes of ours, and what we do of its. */
export class Streams {
  readonly #port: StreamPort;
  readonly #limits: { readonly streams: number };
  readonly #ours: Table = { ends: new Map(), last: 0 };
  readonly #theirs: Table = { ends: new Map(), last: 0 };
  /** What the user holds was collected: the peer is told, because nobody else can. */
  readonly #dropped = new FinalizationRegistry<Sink | Consumer>((end) => end.drop());
  #makeError: (() => unknown) | undefined;

  /** `limits.streams` is how many each side may have open of the other's at once. */
  constructor(port: StreamPort, limits: { readonly streams: number }) {
    this.#port = port;
    this.#limits = limits;
  }

  /** How many streams are open, of both sides. */
  get size(): number {
    return this.#ours.ends.size + this.#theirs.ends.size;
  }

  /**
   * Opens a stream for the peer; the record is to be sent to it. Throws LimitError if too many are open,
   * UnserializableError for a Web stream that is locked, and what `end` was given if the session is over.
   */
  exportValue(value: object): StreamRecord {
    if (this.#makeError) throw this.#makeError();
    const kind = streamKind(value);
    if (!kind) throw new TypeError('What is to be sent as a stream is none.');
    if (this.#ours.ends.size >= this.#limits.streams) {
      throw new LimitError(
        'ERR_OFFSITE_STREAMS',
        'streams',
        this.#limits.streams,
        `${this.#limits.streams} streams of this site are open in another one already; read them to their end or stop them, or raise the limit.`,
      );
    }
    const id = this.#port.nextId();
    const channel = this.#channel(this.#ours, id, false);
    // A locked stream throws here; its id is lost, and nothing else.
    const end = isReadableStream(value)
      ? new Producer(channel, new ReadableSource(value))
      : isAsyncIterable(value)
        ? new Producer(channel, new IterableSource(value))
        : new Feed(channel, value as WritableStream<unknown>);
    this.#enter(this.#ours, id, end);
    return { kind, id, home: false };
  }

  /** Makes what stands here for a stream of the peer; throws ProtocolError if the peer may not introduce it. */
  importValue(kind: StreamKind, id: number): object {
    if (!(Number.isSafeInteger(id) && id < 0) || this.#theirs.ends.has(id)) {
      throw new ProtocolError(`The peer introduced a stream as ${id}, which is no id or in use.`);
    }
    const channel = this.#channel(this.#theirs, id, true);
    // The owner counts its streams too, and forgets each before we do or when we say so, so that it can't be mistaken.
    if (this.#theirs.ends.size >= this.#limits.streams) {
      throw new ProtocolError(`The peer opened more than ${this.#limits.streams} streams at once.`);
    }
    const [end, object] = this.#imported(kind, channel);
    this.#enter(this.#theirs, id, end);
    if (this.#makeError) end.cut(this.#makeError);
    return object;
  }

  /** Takes back a stream whose record was never sent: it is unlocked and not stopped. */
  withdraw(id: number): void {
    this.#ours.ends.get(id)?.withdraw();
  }

  /** An item arrived that took `bytes` on the wire. `home` says, here and below, that the id is ours. */
  onChunk(id: number, home: boolean, value: unknown, bytes: number): void {
    this.#consumer(id, home)?.chunk(value, bytes);
  }

  /** The peer's producer is done. */
  onEnd(id: number, home: boolean, value: unknown): void {
    this.#consumer(id, home)?.end(value);
  }

  /** The peer's producer failed, or an item of it could not be read. */
  onFail(id: number, home: boolean, cause: unknown): void {
    this.#consumer(id, home)?.fail(cause);
  }

  /** The peer's consumer wants more. */
  onCredit(id: number, home: boolean, bytes: number): void {
    this.#producer(id, home)?.credit(bytes);
  }

  /** The peer's consumer is done or failed. */
  onStop(id: number, home: boolean, cause: unknown): void {
    this.#producer(id, home)?.stop(cause);
  }

  /** The session is over: whoever waits is told, sources are stopped, and what comes later fails at once. */
  end(makeError: () => unknown): void {
    if (this.#makeError) return;
    this.#makeError = makeError;
    const ends = [...this.#ours.ends.values(), ...this.#theirs.ends.values()];
    for (const end of ends) end.cut(makeError);
  }

  /** The end of a stream of the peer, and what its user gets; the end must not hold that, or it is never collected. */
  #imported(kind: StreamKind, channel: Channel): [StreamEnd, object] {
    if (kind === 'writable') {
      const sink = new Sink(channel);
      return [sink, sink.stream((alive) => this.#dropped.register(alive, sink))];
    }
    const consumer = new Consumer(channel);
    if (kind === 'readable') {
      return [consumer, remoteReadable(consumer, (alive) => this.#dropped.register(alive, consumer))];
    }
    if (kind !== 'iterable')
      throw new ProtocolError(`The peer introduced a stream of the unknown kind ${kind}.`);
    const iterator = new RemoteIterator(consumer);
    this.#dropped.register(iterator, consumer);
    return [consumer, iterator];
  }

  #channel(table: Table, id: number, home: boolean): Channel {
    return new Channel(this.#port, id, home, () => table.ends.delete(id));
  }

  #enter(table: Table, id: number, end: StreamEnd): void {
    table.ends.set(id, end);
    if (id < table.last) table.last = id;
  }

  #consumer(id: number, home: boolean): ConsumerEnd | undefined {
    const end = this.#find(id, home);
    if (end?.role === 'producer')
      throw new ProtocolError(`The peer sent items into ${id}, which it reads from.`);
    return end;
  }

  #producer(id: number, home: boolean): ProducerEnd | undefined {
    const end = this.#find(id, home);
    if (end?.role === 'consumer')
      throw new ProtocolError(`The peer asked for items of ${id}, which it writes to.`);
    return end;
  }

  /** The end that a frame is for; `undefined` if this side has ended it, and the peer could not know that yet. */
  #find(id: number, home: boolean): StreamEnd | undefined {
    if (this.#makeError) return undefined;
    const table = home ? this.#ours : this.#theirs;
    const end = table.ends.get(id);
    if (!end && !(Number.isSafeInteger(id) && id < 0 && id >= table.last)) {
      throw new ProtocolError(`The peer named the stream ${id}, which was never given out.`);
    }
    return end;
  }
}

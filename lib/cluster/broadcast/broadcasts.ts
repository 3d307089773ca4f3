import type { Remote } from '../../module/remote.ts';
import { RemoteTarget } from '../../wire/reference/reference.ts';
import type { Member } from '../member.ts';
import { Broadcast, BroadcastError, keyOf, registerBroadcasts } from './broadcast.ts';
import { deliver } from './deliver.ts';
import { type Packed, pack, unpack } from './packed.ts';
import type { BroadcastService } from './protocol.ts';
import { type FilePlace, readShared } from './shared-file.ts';
import { sendOn } from './tree.ts';

/** The broadcast values that are in one process of a cluster. */
export class Broadcasts {
  readonly #member: Member;
  readonly #values = new Map<string, { readonly value: unknown }>();
  readonly #loading = new Map<string, Promise<unknown>>();
  #last = 0;
  #listens = false;

  constructor(member: Member) {
    this.#member = member;
    registerBroadcasts();
  }

  /** How many values lie here. */
  get size(): number {
    return this.#values.size;
  }

  /** Sends a value to these processes and gives its handle. Rejects with UnserializableError, and as calls do. */
  async make<T>(value: T, ids: readonly number[]): Promise<Broadcast<T>> {
    const { cluster, id: owner } = this.#member;
    const broadcast = new Broadcast<T>({ cluster, owner, number: ++this.#last });
    const key = keyOf(broadcast);
    const packed = pack(value);
    // What it is here as well, so that the workers' copies and this one can't differ later.
    this.store(key, value);
    try {
      await deliver(this.#member, key, packed, ids);
    } catch (error) {
      await this.free(broadcast);
      throw error;
    }
    return broadcast;
  }

  /** A value that goes to each process once, when it is first an argument there, and arrives as itself. */
  lend<T>(value: T): Broadcast<T> {
    const { cluster, id: owner } = this.#member;
    const broadcast = new Broadcast<T>({ cluster, owner, number: ++this.#last, asValue: true });
    this.store(keyOf(broadcast), value);
    return broadcast;
  }

  has(broadcast: Broadcast): boolean {
    return this.#values.has(keyOf(broadcast));
  }

  get(broadcast: Broadcast): unknown {
    const found = this.#values.get(keyOf(broadcast));
    if (found) return found.value;
    throw new BroadcastError(
      'The value of a broadcast is not in this process: it was freed, or the broadcast came within another value. Give it as an argument of its own, or wait for load().',
    );
  }

  async load(broadcast: Broadcast): Promise<unknown> {
    const key = keyOf(broadcast);
    const found = this.#values.get(key);
    if (found) return found.value;
    // All that wait get the one that comes.
    let loading = this.#loading.get(key);
    if (!loading) {
      loading = this.#fetch(broadcast).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #fetch({ owner, number }: Broadcast): Promise<unknown> {
    const key = `${owner}:${number}`;
    if (owner === this.#member.id) throw new BroadcastError('The broadcast was freed.');
    let packed: Packed;
    try {
      packed = await this.#member.ask(owner, {}, (peer) => castsOf(peer).give(key));
    } catch (cause) {
      throw new BroadcastError(
        `A broadcast could not be got from process ${owner}, which has made it: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
    return this.store(key, unpack(packed, true));
  }

  /** Keeps a value until its owner drops it, or ends. */
  store<T>(key: string, value: T): T {
    this.#values.set(key, { value });
    if (!this.#listens) {
      this.#listens = true;
      this.#member.onLeave((id) => {
        for (const each of this.#values.keys()) if (each.startsWith(`${id}:`)) this.#values.delete(each);
      });
    }
    return value;
  }

  /** What lies here for others. Throws BroadcastError. */
  give(key: string): Packed {
    const found = this.#values.get(key);
    if (!found) throw new BroadcastError('The broadcast was freed by its owner.');
    return pack(found.value);
  }

  async free({ owner, number }: Broadcast): Promise<void> {
    const key = `${owner}:${number}`;
    this.#values.delete(key);
    if (owner === this.#member.id) return this.drop(key);
    await this.#member.ask(owner, {}, (peer) => castsOf(peer).drop(key)).catch(() => {});
  }

  async drop(key: string): Promise<void> {
    const had = this.#values.delete(key);
    const { id, ids } = this.#member;
    if (!key.startsWith(`${id}:`)) return;
    // Who is gone has nothing to drop; who got it from others has.
    if (had || this.#last >= Number(key.split(':')[1])) {
      await Promise.all(
        ids
          .filter((each) => each !== id)
          .map((each) => this.#member.ask(each, {}, (peer) => castsOf(peer).drop(key)).catch(() => {})),
      );
    }
  }
}

/** The broadcasts' part of another member's service. */
export const castsOf = (peer: Remote<{ casts: BroadcastService }>): BroadcastService =>
  peer.casts as unknown as BroadcastService;

/** Where others bring and ask for broadcasts. */
export class BroadcastDesk extends RemoteTarget implements BroadcastService {
  #member: Member | undefined;

  /** From now on it is about this member's. Static, so that nobody else can call it. */
  static open(desk: BroadcastDesk, member: Member): void {
    desk.#member = member;
  }

  get #broadcasts(): Broadcasts {
    if (!this.#member) throw new BroadcastError('This process is in no cluster yet.');
    return this.#member.broadcasts;
  }

  async sharesMemory(memory: SharedArrayBuffer): Promise<boolean> {
    return memory instanceof SharedArrayBuffer;
  }

  async seesFile(place: FilePlace): Promise<boolean> {
    return (await readShared(place, []).catch(() => undefined)) !== undefined;
  }

  async takeMemory(key: string, body: Uint8Array, memories: readonly SharedArrayBuffer[]): Promise<void> {
    const parts = memories.map((memory) => new Uint8Array(memory));
    this.#broadcasts.store(key, unpack({ body, parts }, true));
  }

  async takeFile(key: string, place: FilePlace, sizes: readonly number[]): Promise<void> {
    const packed = await readShared(place, sizes);
    if (!packed) throw new BroadcastError(`The file ${place.path} of a broadcast is gone.`);
    this.#broadcasts.store(key, unpack(packed, true));
  }

  async take(key: string, packed: Packed, others: readonly number[]): Promise<readonly number[]> {
    const broadcasts = this.#broadcasts;
    const { id } = this.#member!;
    const further = sendOn(this.#member!, key, packed, others);
    // It may still be leaving for the others.
    broadcasts.store(key, unpack(packed, others.length === 0));
    return [id, ...(await further)];
  }

  async give(key: string): Promise<Packed> {
    return this.#broadcasts.give(key);
  }

  async drop(key: string): Promise<void> {
    await this.#broadcasts.drop(key);
  }
}

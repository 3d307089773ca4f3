import type { Peer } from '../module/peer.ts';
import type { Remote } from '../module/remote.ts';
import { OffsiteError } from '../wire/errors.ts';
import { release } from '../wire/reference/handle.ts';
import type { Releasable } from '../wire/reference/reference.ts';
import { becomeMember, currentMembership } from './current.ts';
import type { Door } from './direct/door.ts';
import type { ExitedReason } from './errors.ts';
import { LoadedFunctions, Performer } from './loaded-functions.ts';
import { Member, type Way } from './member.ts';
import type {
  Joining,
  MemberAddress,
  MemberService,
  OwnerService,
  Reach,
  WorkerService,
} from './protocol.ts';

/** What runs in a site that was added to a cluster; it travels there as any module does. */

/** How long connecting to another worker may take, in milliseconds, before the way through process 1 is taken. */
const DIAL_WITHIN = 5_000;

/** A worker's ways to the others: through process 1 always, and directly where there is an address. */
class Ways {
  readonly #joining: Joining;
  readonly #ways = new Map<number, Way>();
  readonly #peers = new Map<number, Peer<MemberService>>();
  #service!: () => MemberService;

  constructor(joining: Joining) {
    this.#joining = joining;
    this.#ways.set(1, joining.owner as unknown as Remote<MemberService>);
  }

  serve(service: () => MemberService): void {
    this.#service = service;
  }

  get direct(): number {
    return this.#peers.size;
  }

  to(id: number): Way {
    let way = this.#ways.get(id);
    if (!way) {
      way = this.#find(id);
      this.#ways.set(id, way);
      // Until it is found, all wait for the same; if it is not, the next call looks again.
      way.then(
        (found) => this.#ways.get(id) === way && this.#ways.set(id, found),
        () => this.#ways.get(id) === way && this.#ways.delete(id),
      );
    }
    return way;
  }

  /** A process that has connected to this one is called over the same connection, unless there is a way already. */
  met(id: number, service: Remote<MemberService>): void {
    if (!this.#ways.has(id)) this.#ways.set(id, service);
  }

  /** Without process 1 there is no cluster, and this site ends. */
  lost(id: number): void {
    if (id !== 1) this.#ways.delete(id);
  }

  left(id: number): void {
    this.#ways.delete(id);
    void this.#peers.get(id)?.close();
    this.#peers.delete(id);
  }

  async #find(id: number): Promise<Remote<MemberService>> {
    const { owner, id: own } = this.#joining;
    const reach = (await owner.reach(own, id)) as Reach;
    const { address } = reach;
    const direct = address && (await this.#dial(id, address));
    if (!direct) return reach.service as unknown as Remote<MemberService>;
    release(reach.service as unknown as Releasable);
    return direct;
  }

  /** Connects to another worker, or gives nothing: then process 1 is between. */
  async #dial(id: number, address: MemberAddress): Promise<Remote<MemberService> | undefined> {
    const { cluster, key, id: own } = this.#joining;
    try {
      const { dial } = await import('./direct/dial.ts');
      const peer = await dial<MemberService>(address, {
        cluster,
        key,
        main: this.#service(),
        name: `process ${id}`,
        timeout: DIAL_WITHIN,
      });
      this.#peers.set(id, peer);
      void peer.closed.then(() => {
        if (this.#peers.get(id) !== peer) return;
        this.#peers.delete(id);
        this.#ways.delete(id);
      });
      await peer.main.meet(own, this.#service());
      return peer.main;
    } catch {
      return undefined;
    }
  }
}

/** What a worker lets others call. */
class Worker extends Performer implements WorkerService {
  readonly member: Member;
  readonly #joining: Joining;
  readonly #ways: Ways;
  #door: Promise<Door> | undefined;

  constructor(joining: Joining) {
    const owner = joining.owner as unknown as Remote<OwnerService>;
    // The module comes home as what it is here.
    super(joining.id, new LoadedFunctions((fn) => owner.load(joining.id, fn) as unknown as Promise<object>));
    this.#joining = joining;
    this.#ways = new Ways(joining);
    this.#ways.serve(() => this);
    this.member = new Member(joining, this, {
      way: (id) => this.#ways.to(id),
      left: (id) => this.#ways.left(id),
      lost: (id) => this.#ways.lost(id),
    });
  }

  /** See WorkerService. */
  joined(ids: readonly number[]): void {
    this.member.joined(ids);
  }

  /** See WorkerService. */
  left(id: number, reason: ExitedReason, why: string | undefined): void {
    this.member.left(id, reason, why);
  }

  /** See MemberService. */
  meet(id: number, service: MemberService): void {
    this.#ways.met(id, service as unknown as Remote<MemberService>);
  }

  /** See WorkerService. */
  async open(bind: string | undefined): Promise<MemberAddress> {
    this.#door ??= this.#open(bind);
    try {
      return (await this.#door).address;
    } catch (error) {
      this.#door = undefined;
      throw error;
    }
  }

  async #open(bind: string | undefined): Promise<Door> {
    const { openDoor } = await import('./direct/door.ts');
    const { cluster, key } = this.#joining;
    return openDoor({ cluster, key, main: this, ...(bind !== undefined && { bind }) });
  }

  /** See WorkerService. */
  async connect(ids: readonly number[]): Promise<void> {
    await Promise.all(ids.map(async (id) => this.member.peer(id)));
  }

  /** See WorkerService. */
  connections(): number {
    return this.#ways.direct;
  }
}

/** Makes this site a worker of a cluster; called by process 1. A site can be a worker of one cluster only. */
export const join = (joining: Joining): WorkerService => {
  const there = currentMembership();
  if (there)
    throw new OffsiteError(
      'ERR_OFFSITE_MEMBER',
      `This site is in the cluster ${there.member.cluster} already; a site is a worker of one cluster only.`,
    );
  const worker = new Worker(joining);
  becomeMember({ member: worker.member, owner: joining.owner as unknown as Remote<OwnerService> });
  return worker;
};

import type { ExitedReason } from '../../../lib/cluster/errors.ts';
import { functionsOf } from '../../../lib/cluster/functions.ts';
import { LoadedFunctions, Performer } from '../../../lib/cluster/loaded-functions.ts';
import { Member, type Way } from '../../../lib/cluster/member.ts';
import type { BatchOutcome, FunctionText, MemberService } from '../../../lib/cluster/protocol.ts';
import type { Remote } from '../../../lib/module/remote.ts';
import { SiteCrashedError } from '../../../lib/wire/errors.ts';
import type { Session } from '../../../lib/wire/session.ts';
import { endOf, memoryLinks } from '../../wire/pair.ts';

/** The functions of `tasks.ts`, by name. */
export const tasks = functionsOf<typeof import('./tasks.ts')>(new URL('./tasks.ts', import.meta.url));

/** What a process of an in-memory cluster lets others call, with a record of what was asked of it. */
class TestPerformer extends Performer {
  readonly batches: unknown[][] = [];
  /** Called with each element before the batch is done: a spec kills with it. */
  before: ((element: unknown) => void) | undefined;

  constructor(id: number) {
    super(id, new LoadedFunctions((fn) => import(fn.module) as Promise<object>));
  }

  override performEach(
    fn: FunctionText,
    elements: readonly unknown[],
    rest: readonly unknown[],
    within?: number,
  ): Promise<BatchOutcome> {
    this.batches.push([...elements]);
    for (const element of elements) this.before?.(element);
    return super.performEach(fn, elements, rest, within);
  }

  meet(): void {}
}

/** One process of an in-memory cluster. */
class Process {
  readonly performer: TestPerformer;
  readonly member: Member;
  readonly sessions = new Map<number, Session>();

  constructor(cluster: TestCluster, id: number, ids: readonly number[]) {
    this.performer = new TestPerformer(id);
    this.member = new Member({ cluster: 'test', id, ids }, this.performer as unknown as MemberService, {
      way: (to): Way => cluster.between(id, to),
    });
  }
}

/** A cluster in this process: its members talk over sessions in memory, so that all but time and death is real. */
export class TestCluster {
  readonly processes = new Map<number, Process>();
  #last = 0;

  /** Process 1, and so many workers. */
  constructor(workers: number) {
    for (let id = 1; id <= workers + 1; id++) this.add();
  }

  get member(): Member {
    return this.at(1).member;
  }

  at(id: number): Process {
    return this.processes.get(id)!;
  }

  add(): number {
    const id = ++this.#last;
    const ids = [...this.processes.keys()];
    for (const { member } of this.processes.values()) member.joined([id]);
    this.processes.set(id, new Process(this, id, ids));
    return id;
  }

  /** The service of one process as another sees it. */
  between(from: number, to: number): Remote<MemberService> {
    const near = this.at(from);
    let session = near.sessions.get(to);
    if (!session) {
      const far = this.at(to);
      const [a, b] = memoryLinks();
      const ends = [
        endOf(`process ${to}`, near.performer, a).session,
        endOf(`process ${from}`, far.performer, b).session,
      ] as const;
      [session] = ends;
      near.sessions.set(to, ends[0]);
      far.sessions.set(from, ends[1]);
    }
    return session.main as Remote<MemberService>;
  }

  /** Ends a process as a crash does: what waits for it rejects, and the others learn of it. */
  kill(id: number, reason: ExitedReason = 'crashed'): void {
    const dead = this.processes.get(id);
    if (!dead) return;
    this.processes.delete(id);
    for (const [other, own] of dead.sessions) {
      const gone = (mayHaveRun: boolean) =>
        new SiteCrashedError('gone', { exitCode: 1, signal: null, stderr: [] }, mayHaveRun);
      own.end(gone);
      this.processes.get(other)?.sessions.get(id)?.end(gone);
      this.processes.get(other)?.sessions.delete(id);
    }
    for (const { member } of this.processes.values()) member.left(id, reason);
  }

  /** The workers that were given elements. */
  get used(): number[] {
    return [...this.counts].filter(([, count]) => count > 0).map(([id]) => id);
  }

  /** How many elements each process was given, by its id. */
  get counts(): Map<number, number> {
    return new Map(
      [...this.processes].map(([id, { performer }]) => [id, performer.batches.flat().length] as const),
    );
  }
}

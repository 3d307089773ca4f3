import { enrol } from '../../../lib/cluster/current.ts';
import { LoadedFunctions, Performer } from '../../../lib/cluster/loaded-functions.ts';
import { Member } from '../../../lib/cluster/member.ts';
import type { MemberService } from '../../../lib/cluster/protocol.ts';
import { applyFunctor } from '../../../lib/module/apply.ts';
import { functorScript } from '../../../lib/module/functor-text.ts';
import type { Remote } from '../../../lib/module/remote.ts';
import { SiteCrashedError } from '../../../lib/wire/errors.ts';
import { type End, endOf, type MemoryLink, memoryLinks } from '../../wire/pair.ts';

/** What a process lets others call. */
class Process extends Performer implements MemberService {
  wayTo!: (id: number) => unknown;

  meet(): void {}

  /** The way through this process. */
  reach(id: number): unknown {
    return this.wayTo(id);
  }
}

interface Running {
  readonly member: Member;
  readonly service: Process;
  /** Its sessions with the others, by their ids. */
  readonly ends: Map<number, End>;
}

let clusters = 0;

/**
 * A cluster whose processes lie in this one, over real sessions: everything between them is encoded and decoded. With
 * `relayed`, workers reach each other through process 1.
 */
export class Processes {
  readonly name = `spec-${++clusters}`;
  readonly #running = new Map<number, Running>();
  readonly #relayed: boolean;

  constructor(
    count: number,
    { relayed = false, jobs = {} }: { relayed?: boolean; jobs?: Record<string, unknown> } = {},
  ) {
    this.#relayed = relayed;
    for (let id = 1; id <= count; id++) this.#start(id, jobs, count);
  }

  get ids(): number[] {
    return [...this.#running.keys()];
  }

  member(id: number): Member {
    return this.#running.get(id)!.member;
  }

  /** The link over which `from` sends to `to`. */
  link(from: number, to: number): MemoryLink {
    return this.#running.get(from)!.ends.get(to)!.link;
  }

  /** Breaks the connection of two that live on; the next call makes a new one. */
  cut(a: number, b: number): void {
    this.#end(a, b);
    this.#end(b, a);
    this.#connect(a, b);
  }

  /** Sends something to another process, where it is given to `job`, and gives what that returns. */
  send(from: number, to: number, job: string, ...args: unknown[]): Promise<unknown> {
    return this.member(from).call({ module: 'jobs', name: job }, to, args);
  }

  /** Ends a process; the others learn of it in the order of their ids, or in that of `told`. */
  kill(id: number, told: readonly number[] = this.ids): void {
    const { member, ends } = this.#running.get(id)!;
    for (const other of ends.keys()) {
      this.#end(other, id);
      this.#end(id, other);
    }
    this.#running.delete(id);
    member.close();
    for (const other of told) this.#running.get(other)?.member.left(id, 'crashed');
  }

  close(): void {
    for (const { member } of this.#running.values()) member.close();
    for (const [id, { ends }] of this.#running) for (const other of ends.keys()) this.#end(id, other);
  }

  #start(id: number, jobs: Record<string, unknown>, count: number): void {
    const bound = Object.fromEntries(
      Object.entries(jobs).map(([name, job]) => [
        name,
        typeof job === 'function' ? (...args: unknown[]) => job.apply(this.member(id), args) as unknown : job,
      ]),
    );
    const service = new Process(
      id,
      new LoadedFunctions(async ({ functor }) =>
        functor
          ? applyFunctor({ import: {}, script: functorScript(functor) }, 'file:///', async () => ({}))
          : bound,
      ),
    );
    const ends = new Map<number, End>();
    const main = (to: number) => ends.get(to)!.session.main as unknown as Remote<Process>;
    service.wayTo = main;
    const member = new Member(
      { cluster: this.name, id, ids: Array.from({ length: count }, (_, at) => at + 1) },
      service,
      {
        way: (to) => {
          if (!this.#relayed || id === 1 || to === 1) return main(to) as unknown as Remote<MemberService>;
          return main(1).reach(to) as unknown as Promise<Remote<MemberService>>;
        },
      },
    );
    const others = this.ids;
    this.#running.set(id, { member, service, ends });
    for (const other of others) this.#connect(id, other);
  }

  #connect(a: number, b: number): void {
    const links = memoryLinks();
    for (const [at, [own, other]] of (
      [
        [a, b],
        [b, a],
      ] as const
    ).entries()) {
      const { member, service, ends } = this.#running.get(own)!;
      const link = links[at]!;
      const deliver = link.deliver.bind(link);
      // What arrives is read at once, and in one process only this tells whose it is.
      link.deliver = (bytes, beside) => {
        enrol(member);
        deliver(bytes, beside);
      };
      ends.set(other, endOf(`process ${other}`, service, link));
    }
  }

  #end(id: number, other: number): void {
    const end = this.#running.get(id)?.ends.get(other);
    end?.session.end(
      (mayHaveRun) =>
        new SiteCrashedError(
          `Process ${other} crashed.`,
          { exitCode: null, signal: 'SIGKILL', stderr: [] },
          mayHaveRun,
        ),
    );
    end?.link.destroy();
  }
}

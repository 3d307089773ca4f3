import { pathToFileURL } from 'node:url';
import type { FunctionText, Outcome } from '../../lib/cluster/function-text.ts';
import { LoadedFunctions, Performer } from '../../lib/cluster/loaded-functions.ts';
import type {
  BatchOutcome,
  CallBounds,
  Chunk,
  MemberService,
  OwnerService,
  Reach,
  RemoveBounds,
} from '../../lib/cluster/protocol.ts';
import { applyFunctor, ownBase } from '../../lib/module/apply.ts';
import { functorScript } from '../../lib/module/functor-text.ts';
import { performFor } from './current-cluster.ts';
import type { ClusterView } from './view.ts';

/** What process 1 does when others ask. */
export interface OwnerRequests {
  reach(from: number, to: number): Promise<Reach>;
  load(into: number, fn: FunctionText): Promise<object>;
  addProcs(target: unknown, options: object): Promise<number[]>;
  rmProcs(ids: readonly number[], options: RemoveBounds): Promise<void>;
  everywhere: OwnerService['everywhere'];
  interruptProcs(ids: readonly number[]): Promise<void>;
  procsBeside(id: number): Promise<number[]>;
  setStatus(id: number, status: unknown): Promise<void>;
  getStatus(id: number): Promise<unknown>;
}

/** Loads a module in this process itself, as its own code would. */
const loadHere = async ({ module, functor }: FunctionText): Promise<object> => {
  const load = (specifier: string) => import(specifier) as Promise<object>;
  if (functor)
    return applyFunctor({ import: functor.import, script: functorScript(functor) }, ownBase(), load);
  // A path is meant as in the folder that this program works in.
  return load(/^\.{0,2}\//.test(module) ? new URL(module, pathToFileURL(`${process.cwd()}/`)).href : module);
};

/** What process 1 lets the workers call. */
export class OwnerPerformer extends Performer implements OwnerService {
  readonly #requests: OwnerRequests;
  readonly #cluster: () => ClusterView;

  /** `cluster` gives what `currentCluster()` is in the functions that run here. */
  constructor(requests: OwnerRequests, cluster: () => ClusterView) {
    super(1, new LoadedFunctions(loadHere));
    this.#requests = requests;
    this.#cluster = cluster;
  }

  /** See MemberService. */
  override perform(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return performFor(this.#cluster(), () => super.perform(fn, args));
  }

  /** See MemberService. */
  override prepare(fn: FunctionText, args: readonly unknown[]): Promise<Outcome> {
    return performFor(this.#cluster(), () => super.prepare(fn, args));
  }

  /** See MemberService. */
  override run(fn: FunctionText, args: readonly unknown[]): void {
    performFor(this.#cluster(), () => super.run(fn, args));
  }

  /** See MemberService. */
  override performEach(
    fn: FunctionText,
    elements: readonly unknown[],
    rest: readonly unknown[],
    within?: number,
  ): Promise<BatchOutcome> {
    return performFor(this.#cluster(), () => super.performEach(fn, elements, rest, within));
  }

  /** See MemberService. */
  override performReduce(
    fn: FunctionText | undefined,
    reducer: FunctionText | undefined,
    chunk: Chunk,
    rest: readonly unknown[],
  ): Promise<Outcome> {
    return performFor(this.#cluster(), () => super.performReduce(fn, reducer, chunk, rest));
  }

  /** See MemberService. Nobody connects to process 1: it has a link to each. */
  meet(_id: number, _service: MemberService): void {}

  /** See OwnerService. */
  reach(from: number, to: number): Promise<Reach> {
    return this.#requests.reach(from, to);
  }

  /** See OwnerService. */
  load(into: number, fn: FunctionText): Promise<object> {
    return this.#requests.load(into, fn);
  }

  /** See OwnerService. */
  addProcs(target: unknown, options: object): Promise<number[]> {
    return this.#requests.addProcs(target, options);
  }

  /** See OwnerService. */
  rmProcs(ids: readonly number[], options: RemoveBounds): Promise<void> {
    return this.#requests.rmProcs(ids, options);
  }

  /** See OwnerService. */
  everywhere(
    fn: FunctionText,
    args: readonly unknown[],
    ids: readonly number[] | undefined,
    options: CallBounds,
  ): Promise<ReadonlyMap<number, unknown>> {
    return this.#requests.everywhere(fn, args, ids, options);
  }

  /** See OwnerService. */
  interruptProcs(ids: readonly number[]): Promise<void> {
    return this.#requests.interruptProcs(ids);
  }

  /** See OwnerService. */
  procsBeside(id: number): Promise<number[]> {
    return this.#requests.procsBeside(id);
  }

  /** See OwnerService. */
  setStatus(id: number, status: unknown): Promise<void> {
    return this.#requests.setStatus(id, status);
  }

  /** See OwnerService. */
  getStatus(id: number): Promise<unknown> {
    return this.#requests.getStatus(id);
  }
}

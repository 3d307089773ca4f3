import type { Node } from './graph.ts';
import { join, type Step } from './path.ts';

/** The nodes of a graph that is being made, with what each stands for and where that was found. */
export class NodeTable {
  readonly nodes: Node[] = [];
  readonly values: unknown[] = [];
  readonly #parents: number[] = [];
  readonly #steps: Step[] = [];
  readonly #depths: number[] = [];
  readonly #indices = new Map<unknown, number>();
  readonly #root: string;

  /** `root` is the path of the whole value. */
  constructor(root: string) {
    this.#root = root;
  }

  get length(): number {
    return this.nodes.length;
  }

  /** The node of a value that was met before. */
  indexOf(value: unknown): number | undefined {
    return this.#indices.get(value);
  }

  /** Adds a node for a value that is found one step from `parent`, or is the root if that is -1; returns its index. */
  add(value: unknown, parent: number, step: Step): number {
    const index = this.nodes.push([]) - 1;
    this.#indices.set(value, index);
    this.values.push(value);
    this.#parents.push(parent);
    this.#steps.push(step);
    this.#depths.push(parent < 0 ? 1 : this.#depths[parent]! + 1);
    return index;
  }

  /** How many levels a value is deep in the whole; the root has 1. */
  depthOf(index: number): number {
    return this.#depths[index]!;
  }

  /** Forgets all nodes after the first `length`. */
  truncate(length: number): void {
    for (let i = length; i < this.length; i++) this.#indices.delete(this.values[i]);
    for (const list of [this.nodes, this.values, this.#parents, this.#steps, this.#depths])
      list.length = length;
  }

  /** The path to a value, or to what is one step from it. */
  pathOf(index: number, step?: Step): string {
    const steps: Step[] = step === undefined || index < 0 ? [] : [step];
    for (let at = index; at >= 0 && this.#parents[at]! >= 0; at = this.#parents[at]!)
      steps.push(this.#steps[at]!);
    return steps.reduceRight<string>((path, each) => join(path, each), this.#root);
  }
}

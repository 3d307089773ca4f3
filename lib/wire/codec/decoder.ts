import type { Buffer } from 'node:buffer';
import { classes } from '../shared.ts';
import { fail, isCount, listFrom, objectFrom, textFrom } from './checks.ts';
import type { DecodeContext, LiveRecord } from './context.ts';
import { define, type ErrorNode, type Node, put, Tag } from './graph.ts';
import { readLeaves } from './leaves.ts';
import { readMemories } from './memories.ts';
import { hide, rebuildError } from './remote-error.ts';
import { assertShallow, refersTo, slotsOf } from './slots.ts';
import { makeView } from './views.ts';

/** Live values that go with live values are introduced one within the other; more are a mistake. */
const MAX_LIVE_NESTING = 16;

/** Where a part of a value goes, now or later. */
type Put = (value: unknown) => void;

/**
 * Makes a value of a graph that may be hostile: first an empty shell for each node, then what is in them. It throws
 * whatever comes to pass, and reads nothing outside of its body.
 */
export class Decoder {
  readonly #context: DecodeContext;
  readonly #nodes: readonly Node[];
  readonly #root: unknown;
  readonly #memories: (ArrayBuffer | SharedArrayBuffer)[];
  readonly #leaves: unknown[];
  readonly #values: unknown[] = [];
  readonly #filled: Uint8Array;
  /** Live values that are introduced only when what goes with them is there. */
  readonly #waiting = new Set<number>();
  readonly #introducing = new Set<number>();

  /** Reads the body that lies in `bytes` from `start` to `end`. */
  constructor(bytes: Buffer, start: number, end: number, context: DecodeContext) {
    const size = start + 8 <= end ? bytes.readDoubleLE(start) : -1;
    const text = start + 8;
    if (!isCount(size) || text + size > end) fail('The body is shorter than its text.');
    const graph = listFrom(JSON.parse(bytes.toString('utf8', text, text + size)));
    this.#context = context;
    this.#root = graph[0];
    this.#nodes = listFrom(graph[1] ?? []) as Node[];
    assertShallow(this.#root, this.#nodes, context.depth);
    const places = listFrom(graph[2] ?? []);
    this.#memories = readMemories(places, bytes, text + size, end, context);
    this.#leaves = graph[3] === undefined ? [] : readLeaves(graph[3]);
    this.#filled = new Uint8Array(this.#nodes.length);
  }

  /** The value; if that is one which is there only later, a promise of it. */
  value(): unknown {
    const nodes = this.#nodes;
    for (let i = 0; i < nodes.length; i++) this.#values.push(this.#shell(nodes[i]!, i));
    for (const index of [...this.#waiting]) this.#introduce(index, 0);
    for (let i = 0; i < nodes.length; i++) this.#fill(i);
    return this.#read(this.#root);
  }

  #read(slot: unknown): unknown {
    if (typeof slot !== 'object' || slot === null) return slot;
    const index = refersTo(slot, this.#nodes.length);
    return index === undefined ? undefined : this.#values[index];
  }

  /** Puts what a slot stands for in its place, or sees to it that it comes there. */
  #into(slot: unknown, place: Put): void {
    const value = this.#read(slot);
    if (!this.#comesLater(slot, value)) return place(value);
    // The place is taken already, so that the order of what is around it is kept.
    place(undefined);
    this.#context.later(value, place);
  }

  #comesLater(slot: unknown, value: unknown): value is PromiseLike<unknown> {
    if (!Array.isArray(slot) || slot.length === 0) return false;
    const node = this.#nodes[slot[0] as number];
    if (!Array.isArray(node) || node[0] !== Tag.live || node[1] !== 'result') return false;
    return typeof (value as { then?: unknown } | undefined)?.then === 'function';
  }

  #shell(node: Node, index: number): unknown {
    if (!Array.isArray(node)) return objectFrom(node);
    switch (node[0]) {
      case Tag.array:
      case Tag.sparse:
        return [];
      case Tag.bare:
        return Object.create(null);
      case Tag.map:
        return new Map();
      case Tag.set:
        return new Set();
      case Tag.instance:
        return instanceOf(textFrom(node[1]));
      case Tag.error:
        return rebuildError(errorFrom(node[1]));
      case Tag.bytes:
        return this.#bytes(node);
      case Tag.live:
        if (node.length > 4) {
          this.#waiting.add(index);
          return undefined;
        }
        return this.#context.importValue(recordFrom(node));
      case Tag.leaf:
        return isCount(node[1]) && node[1] < this.#leaves.length
          ? this.#leaves[node[1]]
          : fail('There is no such leaf.');
      case Tag.boxed:
        return this.#boxed(node[1]);
      default:
        return fail('A node is of no kind that is known.');
    }
  }

  #bytes([, name, place, offset, length]: unknown[]): object {
    const memory = isCount(place) ? this.#memories[place] : undefined;
    if (!memory) return fail('There is no such attachment.');
    if (name !== 'ArrayBuffer' && name !== 'SharedArrayBuffer') return makeView(name, memory, offset, length);
    if ((name === 'SharedArrayBuffer') !== memory instanceof SharedArrayBuffer) {
      fail(`An attachment is no ${name}.`);
    }
    return memory;
  }

  #boxed(slot: unknown): object {
    if (typeof slot !== 'object') return Object(slot);
    const index = refersTo(slot ?? [], this.#nodes.length);
    const leaf = index === undefined ? undefined : this.#nodes[index];
    // Leaves do not depend on the order of nodes.
    if (!Array.isArray(leaf) || leaf[0] !== Tag.leaf) return fail('There is nothing in a box.');
    const value = this.#leaves[leaf[1] as number];
    return typeof value === 'number' || typeof value === 'bigint'
      ? Object(value)
      : fail('A box holds what none can hold.');
  }

  /** Introduces a live value, with all in place that goes with it. */
  #introduce(index: number, nesting: number): void {
    if (this.#introducing.has(index)) fail('a live value goes with itself.');
    if (!this.#waiting.delete(index)) return;
    this.#introducing.add(index);
    if (nesting > MAX_LIVE_NESTING) fail('Live values lie too deep within each other.');
    const node = this.#nodes[index] as unknown[];
    const slots: unknown[] = [node[4]];
    for (let slot = slots.pop(); slot !== undefined; slot = slots.pop()) {
      const at = typeof slot === 'object' && slot !== null ? refersTo(slot, this.#nodes.length) : undefined;
      if (at === undefined || this.#filled[at]) continue;
      const part = this.#nodes[at]!;
      if (Array.isArray(part) && part[0] === Tag.live) {
        this.#introduce(at, nesting + 1);
      } else {
        const inside = slotsOf(part);
        // What is in those it leads to first, and then itself, so that no live value in it is missing.
        for (const each of inside) this.#introduceAt(each, nesting);
        this.#fill(at);
        for (const each of inside) slots.push(each);
      }
    }
    this.#values[index] = this.#context.importValue({ ...recordFrom(node), value: this.#read(node[4]) });
    this.#introducing.delete(index);
  }

  #introduceAt(slot: unknown, nesting: number): void {
    if (typeof slot !== 'object' || slot === null) return;
    const index = refersTo(slot, this.#nodes.length);
    if (index !== undefined) this.#introduce(index, nesting + 1);
  }

  #fill(index: number): void {
    if (this.#filled[index]) return;
    this.#filled[index] = 1;
    const node = this.#nodes[index]!;
    const value = this.#values[index];
    // A plain object's node becomes that object.
    if (!Array.isArray(node))
      return this.#putAll(node, (key, part) => put(node as Record<string, unknown>, key, part));
    switch (node[0]) {
      case Tag.array:
        return this.#fillArray(value as unknown[], node);
      case Tag.sparse:
        return this.#fillSparse(value as unknown[], node);
      case Tag.bare:
        return this.#putAll(objectFrom(node[1]), (key, part) => {
          (value as Record<string, unknown>)[key] = part;
        });
      case Tag.instance:
        return this.#putAll(objectFrom(node[2]), (key, part) => define(value as object, key, part));
      case Tag.map:
        return this.#fillMap(value as Map<unknown, unknown>, node);
      case Tag.set:
        for (let i = 1; i < node.length; i++) (value as Set<unknown>).add(this.#read(node[i]));
        return;
      case Tag.error:
        return this.#fillError(value as Error, node[1] as ErrorNode);
    }
  }

  #putAll(slots: object, place: (key: string, value: unknown) => void): void {
    for (const key of Object.keys(slots)) {
      const slot = (slots as Record<string, unknown>)[key];
      this.#into(slot, (value) => place(key, value));
    }
  }

  #fillArray(value: unknown[], node: unknown[]): void {
    for (let i = 1; i < node.length; i++) {
      this.#into(node[i], (part) => {
        value[i - 1] = part;
      });
    }
  }

  #fillSparse(value: unknown[], node: unknown[]): void {
    const length = node[1];
    if (!isCount(length) || length > 0xffffffff || node.length % 2 !== 0) fail('A sparse array is none.');
    // A far element makes V8 keep a table, and so the length alone costs no memory, whatever it is.
    value[0xfffffffe] = undefined;
    value.length = length as number;
    for (let i = 2; i < node.length; i += 2) {
      const at = node[i];
      if (!isCount(at) || at >= (length as number)) fail('An element lies outside of its array.');
      this.#into(node[i + 1], (part) => {
        value[at as number] = part;
      });
    }
  }

  #fillMap(value: Map<unknown, unknown>, node: unknown[]): void {
    if (node.length % 2 !== 1) fail('A key has no value.');
    for (let i = 1; i < node.length; i += 2) {
      const key = this.#read(node[i]);
      this.#into(node[i + 1], (part) => void value.set(key, part));
    }
  }

  #fillError(error: Error, { own, cause, errors }: ErrorNode): void {
    if (cause !== undefined) this.#into(cause, (value) => hide(error, 'cause', value));
    if (errors !== undefined) {
      const parts: unknown[] = [];
      hide(error, 'errors', parts);
      this.#fillArray(parts, [Tag.array, ...listFrom(errors)]);
    }
    this.#putAll(own, (key, value) => define(error, key, value));
  }
}

const instanceOf = (name: string): object => {
  const known = classes.get(name);
  if (!known)
    fail(
      `it has an instance of ${name}, which is not registered here; call registerClass(${name}) on this side too.`,
    );
  return Object.create(known!.prototype) as object;
};

const errorFrom = (node: unknown): ErrorNode => {
  const { classes: names, name, message, stack, own } = objectFrom(node);
  for (const each of [...listFrom(names), name, message, stack]) textFrom(each);
  objectFrom(own);
  return node as ErrorNode;
};

const recordFrom = ([, kind, id, home]: unknown[]): LiveRecord => {
  if (!Number.isSafeInteger(id) || typeof home !== 'boolean') return fail('What lives elsewhere has no id.');
  return { kind: textFrom(kind), id: id as number, home };
};

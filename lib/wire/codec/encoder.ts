import type { Outbox } from '../frame/outbox.ts';
import { unboxed } from './built-in.ts';
import type { EncodeContext } from './context.ts';
import { type ErrorNode, put, type Slot, Tag } from './graph.ts';
import { writeLeaves } from './leaves.ts';
import { NodeTable } from './node-table.ts';
import { hasSymbolKeys } from './own-keys.ts';
import type { Step } from './path.ts';
import { refusal } from './refuse.ts';
import { bareRecord, ownKeys, read, textOf } from './remote-error.ts';
import { Shells } from './shells.ts';
import { detachAll, writeGraph } from './write-graph.ts';

/**
 * Makes a graph of one value, breadth first, so that no depth of it costs any stack. A getter of the value may encode
 * another one meanwhile, hence nothing here is shared.
 */
export class Encoder {
  readonly #context: EncodeContext;
  readonly #table: NodeTable;
  readonly #shells: Shells;
  #filled = 0;

  /** `path` is the name of the value in errors. */
  constructor(context: EncodeContext, path: string) {
    this.#context = context;
    this.#table = new NodeTable(path);
    this.#shells = new Shells(context, this.#table, (value, parent, step) => this.#firm(value, parent, step));
  }

  /** Appends the value to the outbox; throws UnserializableError, LimitError and what getters throw. */
  write(value: unknown, outbox: Outbox): void {
    const start = outbox.length;
    try {
      const root = this.#slot(value, -1, '');
      this.#fill();
      const { errors, leaves: all, attachments } = this.#shells;
      for (let i = 0; i < errors.length; i++) this.#fillError(errors[i]!);
      const leaves = all.length > 0 ? writeLeaves(all) : undefined;
      const settled = attachments.settle(this.#context);
      writeGraph(outbox, [root, this.#table.nodes, settled.places, leaves], settled.inFrame);
      detachAll(settled.copied, this.#pathOf(-1));
    } catch (cause) {
      outbox.length = start;
      this.#shells.withdraw();
      throw cause;
    }
  }

  #slot(value: unknown, parent: number, step: Step): Slot {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        break;
      case 'undefined':
        return [];
      case 'symbol':
        throw refusal('a symbol', this.#pathOf(parent, step), 'send a string instead');
      case 'object':
        if (value === null) return null;
        break;
    }
    // A zero here is -0, because the other is an immediate.
    const known = this.#table.indexOf(value);
    if (known !== undefined) return [known];
    const index = this.#table.add(value, parent, step);
    const isObject = typeof value === 'object' || typeof value === 'function';
    this.#table.nodes[index] = isObject ? this.#shells.of(value as object, index) : this.#shells.leaf(value);
    return [index];
  }

  #pathOf(index: number, step?: Step): string {
    return this.#table.pathOf(index, step);
  }

  #fill(): void {
    for (; this.#filled < this.#table.length; this.#filled++) {
      const index = this.#filled;
      const node = this.#table.nodes[index]!;
      const value = this.#table.values[index] as object;
      if (!Array.isArray(node)) this.#properties(value, node, index);
      else this.#fillTagged(value, node, index);
    }
  }

  #fillTagged(value: object, node: unknown[], index: number): void {
    switch (node[0]) {
      case Tag.array:
        return this.#elements(value as unknown[], node, index);
      case Tag.bare:
        return this.#properties(value, node[1] as Record<string, Slot>, index);
      case Tag.instance:
        return this.#properties(value, node[2] as Record<string, Slot>, index);
      case Tag.map:
        return this.#entries(value as Map<unknown, unknown>, node, index);
      case Tag.set:
        return this.#members(value as Set<unknown>, node, index);
      case Tag.boxed:
        node.push(this.#slot(unboxed(value), index, 'valueOf()'));
    }
  }

  #properties(value: object, into: Record<string, Slot>, index: number): void {
    if (Object.getOwnPropertySymbols(value).length > 0 && hasSymbolKeys(value)) {
      const [key] = Object.getOwnPropertySymbols(value);
      throw refusal(
        'a property under a symbol',
        `${this.#pathOf(index)}[${String(key)}]`,
        'use a string as key',
      );
    }
    for (const key of Object.keys(value)) {
      put(into, key, this.#slot((value as Record<string, unknown>)[key], index, key));
    }
  }

  #elements(value: unknown[], node: unknown[], index: number): void {
    const { length } = value;
    for (let i = 0; i < length; i++) {
      const item = value[i];
      if (item === undefined && !Object.hasOwn(value, i)) return this.#sparse(value, node, index);
      node.push(this.#slot(item, index, i));
    }
  }

  #sparse(value: unknown[], node: unknown[], index: number): void {
    node.length = 0;
    node.push(Tag.sparse, value.length);
    for (const key of Object.keys(value)) {
      const i = Number(key);
      node.push(i, this.#slot(value[i], index, i));
    }
  }

  #entries(value: Map<unknown, unknown>, node: unknown[], index: number): void {
    let i = 0;
    for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
      node.push(this.#firm(key, index, { of: 'keys', index: i }));
      node.push(this.#slot(item, index, typeof key === 'string' ? key : { of: 'values', index: i }));
      i++;
    }
  }

  #members(value: Set<unknown>, node: unknown[], index: number): void {
    let i = 0;
    for (const item of Set.prototype.values.call(value) as SetIterator<unknown>) {
      node.push(this.#firm(item, index, { of: 'values', index: i++ }));
    }
  }

  /** A slot that can't be filled later. */
  #firm(value: unknown, parent: number, step: Step): Slot {
    const slot = this.#slot(value, parent, step);
    const node = Array.isArray(slot) && slot.length > 0 ? this.#table.nodes[slot[0] as number] : undefined;
    if (Array.isArray(node) && node[0] === Tag.live && node[1] === 'result') {
      throw refusal(
        'the result of a call that was not awaited',
        this.#pathOf(parent, step),
        'await it first, because it can not be put there later',
      );
    }
    return slot;
  }

  #fillError(index: number): void {
    const error = this.#table.values[index] as Error;
    const node: ErrorNode = bareRecord(error);
    (this.#table.nodes[index] as unknown[]).push(node);
    for (const key of ownKeys(error)) {
      const slot = this.#attempt(read(error, key), index, key);
      if (slot !== undefined) put(node.own, key, slot);
    }
    const orText = (value: unknown, step: Step) => this.#attempt(value, index, step) ?? textOf(value);
    if (Object.hasOwn(error, 'cause')) node.cause = orText(read(error, 'cause'), 'cause');
    // One that shows is a property like others; an AggregateError's does not.
    const parts = Object.hasOwn(node.own, 'errors') ? undefined : read(error, 'errors');
    if (Array.isArray(parts)) node.errors = Array.from(parts, (part) => orText(part, 'errors'));
  }

  /**
   * The slot of a part without which its error crosses all the same, or `undefined`, and then no trace of it is left.
   * Errors in it are not looked into here: they can always be sent, and so a chain of causes needs no recursion.
   */
  #attempt(value: unknown, parent: number, step: Step): Slot | undefined {
    const nodes = this.#table.length;
    const undo = this.#shells.mark();
    try {
      const slot = this.#slot(value, parent, step);
      this.#fill();
      return slot;
    } catch {
      this.#table.truncate(nodes);
      this.#filled = nodes;
      undo();
      return undefined;
    }
  }
}

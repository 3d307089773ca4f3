import { isBoxedPrimitive, isMap, isSet } from 'node:util/types';
import type { Outbox } from '../frame/outbox.ts';
import { isByReference, referenceOf } from '../reference/reference.ts';
import { classNames } from '../shared.ts';
import { Attachments, type Settled } from './attachments.ts';
import { isBuiltIn, isDetached, isError, isPlainObject, unboxed } from './built-in.ts';
import type { EncodeContext, LiveRecord } from './context.ts';
import { type ErrorNode, type Graph, type Node, put, type Slot, Tag } from './graph.ts';
import { leafOf, writeLeaves } from './leaves.ts';
import { NodeTable } from './node-table.ts';
import { hasNamedProperties, hasSymbolKeys, isIndex } from './own-keys.ts';
import type { Step } from './path.ts';
import { refusal, refusedInstance, tooDeep } from './refuse.ts';
import { bareRecord, ownKeys, read, textOf } from './remote-error.ts';
import { detach } from './transfer.ts';
import { elementsOf, viewName } from './views.ts';

/**
 * Makes a graph of one value, breadth first, so that no depth of it costs any stack. A getter of the value may encode
 * another one meanwhile, hence nothing here is shared.
 */
export class Encoder {
  readonly #context: EncodeContext;
  readonly #table: NodeTable;
  readonly #leaves: unknown[] = [];
  readonly #attachments = new Attachments();
  readonly #introduced: LiveRecord[] = [];
  /** Nodes of errors, which are filled when all else is. */
  readonly #errors: number[] = [];
  #filled = 0;

  /** `path` is the name of the value in errors. */
  constructor(context: EncodeContext, path: string) {
    this.#context = context;
    this.#table = new NodeTable(path);
  }

  /** Appends the value to the outbox; throws UnserializableError, LimitError and what getters throw. */
  write(value: unknown, outbox: Outbox): void {
    const start = outbox.length;
    try {
      const root = this.#slot(value, -1, '');
      this.#fill();
      for (let i = 0; i < this.#errors.length; i++) this.#fillError(this.#errors[i]!);
      const leaves = this.#leaves.length > 0 ? writeLeaves(this.#leaves) : undefined;
      this.#send(root, leaves, this.#attachments.settle(this.#context), outbox);
    } catch (cause) {
      outbox.length = start;
      for (const record of this.#introduced) this.#context.withdraw(record);
      throw cause;
    }
  }

  #send(root: Slot, leaves: unknown, { places, inFrame, copied }: Settled, outbox: Outbox): void {
    const graph: Graph = [root, this.#table.nodes, places, leaves];
    const used = leaves ? 4 : places.length > 0 ? 3 : this.#table.length > 0 ? 2 : 1;
    const text = JSON.stringify(graph.slice(0, used));
    let size = 8 + text.length * 3;
    for (const bytes of inFrame) size += bytes.byteLength;
    outbox.reserve(size);
    const at = outbox.length;
    outbox.double(0);
    outbox.bytes.writeDoubleLE(outbox.text(text), at);
    for (const bytes of inFrame) outbox.raw(bytes);
    for (const memory of copied) {
      try {
        detach(memory);
      } catch (cause) {
        throw refusal(
          `memory that can't move (${textOf(cause)})`,
          this.#pathOf(-1),
          'send it without transfer()',
        );
      }
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
    this.#table.nodes[index] = isObject ? this.#shell(value as object, index) : this.#leaf(value);
    return [index];
  }

  #pathOf(index: number, step?: Step): string {
    return this.#table.pathOf(index, step);
  }

  /** A node without what is in it; that of a leaf, of bytes and of a live value is whole. */
  #shell(value: object, index: number): Node {
    if (isByReference(value)) return this.#live(value, index);
    const node = this.#structure(value, index) ?? this.#bytes(value, index) ?? this.#other(value, index);
    if (!Array.isArray(node) || (node[0] !== Tag.leaf && node[0] !== Tag.bytes)) {
      if (this.#table.depthOf(index) > this.#context.depth)
        throw tooDeep(this.#pathOf(index), this.#context.depth);
    }
    return node;
  }

  #structure(value: object, index: number): Node | undefined {
    const prototype: object | null = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return {};
    if (prototype === null) return [Tag.bare, {}];
    if (Array.isArray(value) && isBuiltIn(value, 'Array')) {
      if (hasNamedProperties(value)) this.#refuseProperties(value, index, 'array');
      return [Tag.array];
    }
    if (isMap(value) && isBuiltIn(value, 'Map')) return this.#without(value, index, 'Map', [Tag.map]);
    if (isSet(value) && isBuiltIn(value, 'Set')) return this.#without(value, index, 'Set', [Tag.set]);
    const name = isError(value) ? undefined : classNames.get(prototype);
    if (name !== undefined) return [Tag.instance, name, {}];
    return isPlainObject(value) ? {} : undefined;
  }

  #bytes(value: object, index: number): Node | undefined {
    if (ArrayBuffer.isView(value)) {
      const name = viewName(value);
      if (name === undefined) return undefined;
      const length = elementsOf(value);
      if (name === 'DataView') this.#without(value, index, name, []);
      else if (hasNamedProperties(value as Uint8Array)) this.#refuseProperties(value, index, name);
      return this.#memory(value, value.buffer, [Tag.bytes, name, 0, 0, length], index);
    }
    for (const name of ['ArrayBuffer', 'SharedArrayBuffer']) {
      if (Object.prototype.toString.call(value) !== `[object ${name}]` || !isBuiltIn(value, name)) continue;
      const memory = value as ArrayBufferLike;
      return this.#memory(memory, memory, this.#without(value, index, name, [Tag.bytes, name, 0]), index);
    }
    return undefined;
  }

  #memory(
    value: ArrayBufferLike | ArrayBufferView,
    buffer: ArrayBufferLike,
    node: unknown[],
    index: number,
  ): Node {
    let shared: number | undefined;
    if (Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]') {
      shared = this.#context.share(buffer as SharedArrayBuffer);
      if (shared === undefined) {
        throw refusal(
          'shared memory, and this site has none together with the other',
          this.#pathOf(index),
          'send a copy, which slice() makes',
        );
      }
    } else if (buffer.byteLength === 0 && isDetached(buffer)) {
      throw refusal('memory that has moved away', this.#pathOf(index), 'send it before it moves');
    }
    this.#attachments.add({ node, value, shared });
    return node;
  }

  #other(value: object, index: number): Node {
    const leaf = leafOf(value);
    if (leaf !== undefined) {
      // Only what superjson knows by itself comes back as it is.
      return leaf instanceof Date || leaf instanceof RegExp || leaf instanceof URL
        ? this.#without(value, index, value.constructor.name, this.#leaf(leaf))
        : this.#leaf(leaf);
    }
    if (isError(value)) {
      this.#errors.push(index);
      return [Tag.error];
    }
    if (isBoxedPrimitive(value)) return this.#boxed(value, index);
    throw refusedInstance(value, this.#pathOf(index));
  }

  #boxed(value: object, index: number): Node {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    if (!isBuiltIn(value, name)) throw refusedInstance(value, this.#pathOf(index));
    if (
      typeof value.valueOf() === 'string' ? hasNamedProperties(value as never) : Object.keys(value).length > 0
    ) {
      this.#refuseProperties(value, index, name);
    }
    return [Tag.boxed];
  }

  #leaf(leaf: unknown): unknown[] {
    return [Tag.leaf, this.#leaves.push(leaf) - 1];
  }

  #live(value: object, index: number): Node {
    const record = this.#context.exportValue(value);
    this.#introduced.push(record);
    if (record.kind !== 'result' && referenceOf(value)?.call) {
      throw refusal('the result of a call that was not awaited', this.#pathOf(index), 'await it first');
    }
    const node: unknown[] = [Tag.live, record.kind, record.id, record.home];
    if (record.value !== undefined) node.push(this.#firm(record.value, index, 'value'));
    return node;
  }

  #without(value: object, index: number, name: string, node: unknown[]): unknown[] {
    if (Object.keys(value).length > 0 || hasSymbolKeys(value)) this.#refuseProperties(value, index, name);
    return node;
  }

  #refuseProperties(value: object, index: number, name: string): never {
    const { length } = value as { length?: number };
    const key =
      Object.keys(value).find((each) => !isIndex(each, length ?? 0)) ??
      Object.getOwnPropertySymbols(value)[0]?.toString() ??
      '';
    throw refusal(
      `a property of ${name === 'array' ? 'an array' : `a ${name}`}`,
      this.#pathOf(index, key),
      'put both into an object',
    );
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
    const leaves = this.#leaves.length;
    const attachments = this.#attachments.length;
    const introduced = this.#introduced.length;
    const errors = this.#errors.length;
    try {
      const slot = this.#slot(value, parent, step);
      this.#fill();
      return slot;
    } catch {
      this.#table.truncate(nodes);
      this.#filled = nodes;
      this.#leaves.length = leaves;
      this.#attachments.truncate(attachments);
      this.#errors.length = errors;
      for (const record of this.#introduced.splice(introduced)) this.#context.withdraw(record);
      return undefined;
    }
  }
}

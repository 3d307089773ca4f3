import { isBoxedPrimitive, isMap, isSet } from 'node:util/types';
import { isByReference, referenceOf } from '../reference/reference.ts';
import { classNames } from '../shared.ts';
import { Attachments } from './attachments.ts';
import { isBuiltIn, isDetached, isError, isPlainObject } from './built-in.ts';
import type { EncodeContext, LiveRecord } from './context.ts';
import { type Node, type Slot, Tag } from './graph.ts';
import { leafOf } from './leaves.ts';
import type { NodeTable } from './node-table.ts';
import { hasNamedProperties, hasSymbolKeys, isIndex } from './own-keys.ts';
import type { Step } from './path.ts';
import { refusal, refusedInstance, tooDeep } from './refuse.ts';
import { elementsOf, viewName } from './views.ts';

/** Makes the node of each thing that a value holds, without what is in it, and refuses what can't cross. */
export class Shells {
  readonly #context: EncodeContext;
  readonly #table: NodeTable;
  readonly #firm: (value: unknown, parent: number, step: Step) => Slot;
  /** What superjson carries. */
  readonly leaves: unknown[] = [];
  readonly attachments = new Attachments();
  /** Nodes of errors, which are filled when all else is. */
  readonly errors: number[] = [];
  readonly #introduced: LiveRecord[] = [];

  /** `firm` gives a slot for what goes with a live value. */
  constructor(
    context: EncodeContext,
    table: NodeTable,
    firm: (value: unknown, parent: number, step: Step) => Slot,
  ) {
    this.#context = context;
    this.#table = table;
    this.#firm = firm;
  }

  /** Takes back all that was introduced to the peer. */
  withdraw(): void {
    for (const record of this.#introduced) this.#context.withdraw(record);
  }

  /** Where it stands now; the function that is returned forgets all that was made since. */
  mark(): () => void {
    const leaves = this.leaves.length;
    const attachments = this.attachments.length;
    const introduced = this.#introduced.length;
    const errors = this.errors.length;
    return () => {
      this.leaves.length = leaves;
      this.attachments.truncate(attachments);
      this.errors.length = errors;
      for (const record of this.#introduced.splice(introduced)) this.#context.withdraw(record);
    };
  }

  /** A node without what is in it; that of a leaf, of bytes and of a live value is whole. */
  of(value: object, index: number): Node {
    if (isByReference(value)) return this.#live(value, index);
    const node = this.#structure(value, index) ?? this.#bytes(value, index) ?? this.#other(value, index);
    if (!Array.isArray(node) || (node[0] !== Tag.leaf && node[0] !== Tag.bytes)) {
      if (this.#table.depthOf(index) > this.#context.depth)
        throw tooDeep(this.#table.pathOf(index), this.#context.depth);
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
          this.#table.pathOf(index),
          'send a copy, which slice() makes',
        );
      }
    } else if (buffer.byteLength === 0 && isDetached(buffer)) {
      throw refusal('memory that has moved away', this.#table.pathOf(index), 'send it before it moves');
    }
    this.attachments.add({ node, value, shared });
    return node;
  }

  #other(value: object, index: number): Node {
    const leaf = leafOf(value);
    if (leaf !== undefined) {
      // Only what superjson knows by itself comes back as it is.
      return leaf instanceof Date || leaf instanceof RegExp || leaf instanceof URL
        ? this.#without(value, index, value.constructor.name, this.leaf(leaf))
        : this.leaf(leaf);
    }
    if (isError(value)) {
      this.errors.push(index);
      return [Tag.error];
    }
    if (isBoxedPrimitive(value)) return this.#boxed(value, index);
    throw refusedInstance(value, this.#table.pathOf(index));
  }

  #boxed(value: object, index: number): Node {
    const name = Object.prototype.toString.call(value).slice(8, -1);
    if (!isBuiltIn(value, name)) throw refusedInstance(value, this.#table.pathOf(index));
    if (
      typeof value.valueOf() === 'string' ? hasNamedProperties(value as never) : Object.keys(value).length > 0
    ) {
      this.#refuseProperties(value, index, name);
    }
    return [Tag.boxed];
  }

  /** The node of what superjson carries. */
  leaf(leaf: unknown): unknown[] {
    return [Tag.leaf, this.leaves.push(leaf) - 1];
  }

  #live(value: object, index: number): Node {
    const record = this.#context.exportValue(value, () => this.#table.pathOf(index));
    this.#introduced.push(record);
    if (record.kind !== 'result' && referenceOf(value)?.call) {
      throw refusal('the result of a call that was not awaited', this.#table.pathOf(index), 'await it first');
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
      this.#table.pathOf(index, key),
      'put both into an object',
    );
  }
}

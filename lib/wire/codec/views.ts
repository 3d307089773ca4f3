import { Buffer } from 'node:buffer';
import { isCount } from './checks.ts';

type Memory = ArrayBuffer | SharedArrayBuffer;
type Make = (memory: Memory, offset: number, length: number) => object;

/** Makers of views by name; the length is in elements. */
const makers = new Map<string, Make>([
  ['Buffer', (memory, offset, length) => Buffer.from(memory as ArrayBuffer, offset, length)],
  ['DataView', (memory, offset, length) => new DataView(memory, offset, length)],
]);

for (const View of [
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  // Newer versions of Node.js have it.
  (globalThis as { Float16Array?: Float64ArrayConstructor }).Float16Array,
]) {
  if (View)
    makers.set(View.name, (memory, offset, length) => new View(memory as ArrayBuffer, offset, length));
}

const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/** The name under which a view crosses, `undefined` if it is of a class of somebody's own. */
export const viewName = (view: ArrayBufferView): string | undefined => {
  const prototype = Object.getPrototypeOf(view);
  if (prototype === Buffer.prototype) return 'Buffer';
  // Names are asked of the memory itself, because a view may be of another realm.
  const name = (tagOf.call(view) as string | undefined) ?? 'DataView';
  const own = name === 'DataView' ? 'getInt8' : 'BYTES_PER_ELEMENT';
  return makers.has(name) && prototype !== null && Object.hasOwn(prototype, own) ? name : undefined;
};

/** How many elements a view has; a DataView's are bytes. */
export const elementsOf = (view: ArrayBufferView): number =>
  (view as Partial<Uint8Array>).length ?? view.byteLength;

/** Makes a view over memory; throws RangeError if there is none of that name or if it does not fit. */
export const makeView = (name: unknown, memory: Memory, offset: unknown, length: unknown): object => {
  const make = makers.get(name as string);
  if (!make) throw new RangeError(`There is no view ${String(name)}.`);
  if (!isCount(offset) || !isCount(length))
    throw new RangeError('A view begins and ends nowhere in its memory.');
  return make(memory, offset, length);
};

import { isDate, isRegExp } from 'node:util/types';
import { UnserializableError } from '../errors.ts';
import { type LeafType, leafTypes } from '../shared.ts';
import { INVALID_DATE, isBuiltIn } from './built-in.ts';
import { isPlain } from './plain.ts';
import { makeSuperJSON } from './superjson.deferred.ts';

/** A value of a type of the user's own on its way through superjson, which would else look into it. */
class Taught {
  readonly type: LeafType;
  readonly value: unknown;

  constructor(type: LeafType, value: unknown) {
    this.type = type;
    this.value = value;
  }
}

/** What superjson writes beside a leaf; the JSON of each of these is text. */
const ANNOTATIONS = new Set<unknown>(['Date', 'regexp', 'URL', 'bigint', 'number']);

let made: ReturnType<typeof makeSuperJSON> | undefined;
/** How many of the user's types `made` knows. */
let known = 0;

/** Superjson as the wire uses it; made when it is needed, because much that crosses has no leaves. */
const superjson = (): ReturnType<typeof makeSuperJSON> => {
  if (!made) {
    made = makeSuperJSON();
    made.registerCustom<Date, string>(
      {
        isApplicable: (value): value is Date =>
          isDate(value) && Number.isNaN(Date.prototype.getTime.call(value)),
        serialize: () => 'invalid',
        deserialize: () => new Date(Number.NaN),
      },
      INVALID_DATE,
    );
  }
  for (; known < leafTypes.length; known++) teach(made, leafTypes[known]!);
  return made;
};

const teach = (to: ReturnType<typeof makeSuperJSON>, type: LeafType): void => {
  to.registerCustom<Taught, string>(
    {
      isApplicable: (value): value is Taught => value instanceof Taught && value.type === type,
      serialize: ({ value }) => {
        const json = type.serialize(value);
        if (isPlain(json)) return json as string;
        throw new UnserializableError(
          `What the type ${type.name} makes of its values can't be written as JSON; its serialize() must give strings, finite numbers, booleans, null, or arrays and plain objects of these.`,
          type.name,
        );
      },
      deserialize: (json) => type.deserialize(json) as Taught,
    },
    type.name,
  );
};

/** What superjson is given of an object that it carries, `undefined` if it doesn't. */
export const leafOf = (value: object): unknown => {
  for (let i = leafTypes.length - 1; i >= 0; i--) {
    if (leafTypes[i]!.isApplicable(value)) return new Taught(leafTypes[i]!, value);
  }
  // Superjson knows its types by `instanceof`, and one of another realm is none to it.
  if (isDate(value)) {
    if (!isBuiltIn(value, 'Date')) return undefined;
    return value instanceof Date ? value : new Date(Date.prototype.getTime.call(value));
  }
  if (isRegExp(value)) {
    if (!isBuiltIn(value, 'RegExp')) return undefined;
    const { source, flags } = value as RegExp;
    return value instanceof RegExp ? value : new RegExp(source, flags);
  }
  return Object.getPrototypeOf(value) === URL.prototype ? value : undefined;
};

/** Writes the leaves of a message; throws UnserializableError, and what a type of the user's own throws. */
export const writeLeaves = (leaves: readonly unknown[]): unknown => superjson().serialize(leaves);

/** Reads them; throws for everything that `writeLeaves` would not have written. */
export const readLeaves = (written: unknown): unknown[] => {
  const { json, meta } = written as { json: unknown; meta?: { values?: Record<string, unknown> } };
  if (!Array.isArray(json)) throw new TypeError('The leaves are no list.');
  const types = new Set(leafTypes.map(({ name }) => name)).add(INVALID_DATE);
  const values: Record<string, [string | string[]]> = Object.create(null);
  for (let i = 0; i < json.length; i++) {
    const annotation = (meta?.values?.[i] as unknown[] | undefined)?.[0];
    if (Array.isArray(annotation)) {
      const name = String(annotation[1]);
      if (!types.has(name)) {
        throw new TypeError(
          `it has a value of the type ${name}, which is not known here; register it with registerType() on this side too.`,
        );
      }
      values[i] = [['custom', name]];
    } else {
      if (typeof json[i] !== 'string' || !ANNOTATIONS.has(annotation)) {
        throw new TypeError(`Leaf ${i} is of no kind that is known.`);
      }
      values[i] = [annotation as string];
    }
  }
  const payload = { json, meta: { values, v: 1 } } as Parameters<
    ReturnType<typeof makeSuperJSON>['deserialize']
  >[0];
  return superjson().deserialize(payload, { inPlace: true });
};

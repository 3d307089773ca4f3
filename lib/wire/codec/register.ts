import { type AnyClass, classes, classNames, errorClasses, leafTypes } from '../shared.ts';
// Not from where leaves are written: modules that only register something need not load superjson.
import { INVALID_DATE } from './built-in.ts';

/** What `registerType` needs to know of a type; `json` is what JSON carries whole. */
export interface TypeRegistration<T, Json> {
  /** The name that the other side knows it by too. */
  readonly name: string;
  /** Whether a value is one of this type; it is asked for objects that are neither plain nor arrays. */
  readonly isApplicable: (value: unknown) => value is T;
  /** Makes of it strings, finite numbers, booleans, null, or arrays and plain objects of these. */
  readonly serialize: (value: T) => Json;
  /** Makes the value again. */
  readonly deserialize: (json: Json) => T;
}

const BUILT_IN = [Array, Map, Set, Date, RegExp, Promise, ArrayBuffer, URL, WeakMap, WeakSet, DataView];
const notOurs: { prototype: object }[] = [...BUILT_IN, Object.getPrototypeOf(Uint8Array)];

const checkName = (name: unknown): void => {
  if (typeof name !== 'string' || name === '' || name === '__proto__' || name === INVALID_DATE) {
    throw new TypeError(`${JSON.stringify(name)} is no name that something can be registered under.`);
  }
};

/**
 * Makes the instances of a class cross by value, and arrive as such instances where the class is registered under the
 * same name. Their own enumerable properties cross; the constructor does not run, and private fields are not there.
 * Errors of a registered class arrive as that class. Throws a TypeError for what is no class, and for a class that
 * extends a built-in one other than Error: what that keeps inside is out of reach, so `registerType` is for these.
 */
export const registerClass = (Class: AnyClass, name: string = Class.name): void => {
  const prototype: unknown = typeof Class === 'function' ? Reflect.get(Class, 'prototype') : undefined;
  if (typeof prototype !== 'object' || prototype === null) {
    throw new TypeError('registerClass() takes a class.');
  }
  checkName(name);
  const builtIn = notOurs.find(
    (each) => prototype === each.prototype || prototype instanceof (each as unknown as new () => object),
  );
  if (builtIn || Object.getPrototypeOf(prototype) === null) {
    throw new TypeError(
      `${name} can't be registered as a class, because it is or extends a built-in one; use registerType().`,
    );
  }
  classNames.set(prototype, name);
  if (prototype instanceof Error) errorClasses.set(name, { prototype });
  else classes.set(name, Class);
};

/**
 * Teaches the wire a type whose values cross as JSON, for instance Decimal or Temporal.Instant; it must be registered
 * on both sides. Throws a TypeError if the name can't be one.
 */
export const registerType = <T, Json>(type: TypeRegistration<T, Json>): void => {
  checkName(type.name);
  leafTypes.push({
    name: type.name,
    isApplicable: (value) => type.isApplicable(value),
    serialize: (value) => type.serialize(value as T),
    deserialize: (json) => type.deserialize(json as Json),
  });
};

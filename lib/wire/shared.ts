/**
 * State that all copies of this code in one realm have in common. A site runs a bundled copy, and what it loads may
 * import another: what is registered or marked with one must be known to the other.
 */
export const shared = <T extends object>(name: string, make: () => T): T => {
  const key = Symbol.for(`offsite.${name}`);
  const known = (globalThis as unknown as Record<symbol, T | undefined>)[key];
  if (known) return known;
  const made = make();
  Object.defineProperty(globalThis, key, { value: made });
  return made;
};

/** A class as the registries need it. */
export interface AnyClass {
  readonly name: string;
  readonly prototype: object;
}

/** A type of values that cross as JSON, which a user taught to `registerType`. */
export interface LeafType {
  readonly name: string;
  isApplicable(value: unknown): boolean;
  serialize(value: unknown): unknown;
  deserialize(json: unknown): unknown;
}

/** The classes of errors that arrive from another site as what they were, by name. */
export const errorClasses = shared('errorClasses', () => new Map<string, { prototype: Error }>());

/** The classes whose instances cross by value, by name. */
export const classes = shared('classes', () => new Map<string, AnyClass>());

/** The registered names of classes, by their prototypes. */
export const classNames = shared('classNames', () => new WeakMap<object, string>());

/** What was taught to `registerType`, in its order; of two with one name the later counts. */
export const leafTypes = shared('leafTypes', () => [] as LeafType[]);

/** Objects that were marked with `byReference` without being changed. */
export const markedByReference = shared('markedByReference', () => new WeakSet<object>());

/** Memory that was marked with `transfer` and not sent yet. */
export const moving = shared('moving', () => new WeakSet<ArrayBufferLike>());

/** The calls of sessions whose peer is a site, which can tell of the sites behind it. */
export const sitesCalls = shared('sitesCalls', () => new WeakSet<object>());

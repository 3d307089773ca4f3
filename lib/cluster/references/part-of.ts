/** What lies under these keys in a value, one within the other. Throws TypeError where there is nothing to look into. */
export const partOf = (value: unknown, keys: readonly PropertyKey[]): unknown => {
  let part = value;
  for (const [depth, key] of keys.entries()) {
    if (part === undefined || part === null) {
      const where = keys.slice(0, depth).map(String).join('.') || 'the value';
      throw new TypeError(`There is no ${String(key)} in it: ${where} is ${String(part)}.`);
    }
    // What a Map holds has keys too, and nothing but methods as properties.
    part = part instanceof Map ? part.get(key) : (part as Record<PropertyKey, unknown>)[key];
  }
  return part;
};

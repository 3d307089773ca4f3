import { type Calls, proxyOf } from '../wire/reference/handle.ts';
import { type Reference, referenceOf } from '../wire/reference/reference.ts';

/** The names that a module here exports: its own and inherited ones, without what every object has. */
export const namesOf = (module: object): string[] => {
  const names = new Set<string>();
  for (let at: object | null = module; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    if (at === Function.prototype) break;
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name);
  }
  return [...names];
};

/**
 * The names of a module that lives in another site, which is asked for them; `undefined` if it lives in the site at
 * the other end of `session`, which knows it. A site that can't say has none.
 */
export const remoteNames = async (
  module: object,
  session: { reaches(calls: object): boolean },
): Promise<string[] | undefined> => {
  const { calls } = referenceOf(module) as Reference;
  if (session.reaches(calls)) return undefined;
  const service = proxyOf(calls as Calls, 0) as { names(module: object): Promise<string[]> };
  return service.names(module).catch(() => []);
};

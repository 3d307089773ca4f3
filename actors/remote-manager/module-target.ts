import { keyOf, type ModuleKey } from '../../lib/module/resolve.ts';

/** Where a module is: a URL, or a name that the site knows. */
export type ModuleTarget = string | URL | { readonly url: string | URL } | { readonly name: string };

/** What a user's target means. */
export const moduleKey = (target: ModuleTarget): ModuleKey => {
  if (typeof target === 'string') return keyOf(target);
  if (target instanceof URL) return { url: target.href };
  if (typeof target !== 'object' || target === null || !('name' in target || 'url' in target)) {
    throw new TypeError(
      `A module is named by a URL, a string, { url } or { name }, and not by ${String(target)}.`,
    );
  }
  return 'name' in target ? { name: target.name } : { url: String(target.url) };
};

/** A key in messages. */
export const describeKey = (key: ModuleKey): string => JSON.stringify('url' in key ? key.url : key.name);

import { readFile } from 'node:fs/promises';
import type { LoadHook, ResolveHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isTypeScript, strip } from '../../module/source/strip.ts';
import type { HookData } from './typescript.ts';

/** Runs in Node's own thread for hooks. */

let own: HookData['own'] = {};

/** Called by Node with what was given to `register`. */
export const initialize = (data: HookData): void => {
  own = data.own;
};

const isFile = (url: string): boolean => url.startsWith('file:');
const isMissing = (cause: unknown): boolean =>
  (cause as NodeJS.ErrnoException | null)?.code === 'ERR_MODULE_NOT_FOUND';

/** Finds `x.ts` for `./x.js`, as TypeScript does, and this package where it is not installed. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const mine = Object.hasOwn(own, specifier) ? own[specifier] : undefined;
    if (mine) return { url: mine, shortCircuit: true };
    const source = specifier.replace(/\.([mc]?)js$/, '.$1ts');
    if (source === specifier || !context.parentURL?.startsWith('file:')) throw cause;
    try {
      return await next(source, context);
    } catch {
      throw cause;
    }
  }
};

/** Makes JavaScript of TypeScript; Node would refuse what needs code of its own, and before version 22 all of it. */
export const load: LoadHook = async (url, context, next) => {
  const [file] = url.split(/[?#]/) as [string];
  if (!isFile(url) || !isTypeScript(file)) return next(url, context);
  const path = fileURLToPath(file);
  const { code } = await strip(await readFile(path, 'utf8'), path);
  const format = path.endsWith('.cts') ? 'commonjs' : 'module';
  return { format, source: code, shortCircuit: true };
};

import { folderURL, keyOf, runScript } from './resolve.ts';
import type { ModuleTable } from './table.ts';

/** A functor as it crosses: its imports' specifiers, and a script whose value is the body's function. */
export interface FunctorText {
  readonly import: Readonly<Record<string, string>>;
  readonly script: string;
}

type Body = (imports: Record<string, object>) => unknown;

/**
 * Makes a functor's module: links its imports through the table, each resolved against `base`, and runs its body.
 * Rejects with what a load or the body threw, or TypeError if the body gave no module.
 */
export const applyFunctor = async (
  functor: FunctorText,
  base: string,
  table: ModuleTable,
): Promise<object> => {
  const imports = Object.fromEntries(
    await Promise.all(
      Object.entries(functor.import).map(
        async ([alias, specifier]) => [alias, await table.link(keyOf(specifier), base)] as const,
      ),
    ),
  );
  const body = runScript(functor.script, `${base}[functor]`) as Body;
  const module = await body(imports);
  if ((typeof module !== 'object' && typeof module !== 'function') || module === null) {
    throw new TypeError(
      `The functor's body returned ${module === null ? 'null' : typeof module} instead of a module: return an object.`,
    );
  }
  return module;
};

/** Where a functor's imports are resolved when its caller gave no base: the site's own folder. */
export const ownBase = (): string => folderURL(process.cwd());

import { folderURL, runScript } from './resolve.ts';

/** A functor as it crosses: its imports' specifiers, and a script whose value is the body's function. */
export interface FunctorText {
  readonly import: Readonly<Record<string, string>>;
  readonly script: string;
}

type Body = (imports: Record<string, object>) => unknown;

/** The file in which a functor's body seems to stand that is applied in a folder or beside a module, by its URL. */
export const functorFile = (base: string): string => `${base}[functor]`;

/**
 * Makes a functor's module: gets each of its imports from `link`, and runs its body as if it stood at `base`. Rejects
 * with what a load or the body threw, or TypeError if the body gave no module.
 */
export const applyFunctor = async (
  functor: FunctorText,
  base: string,
  link: (specifier: string) => Promise<object>,
): Promise<object> => {
  const imports = Object.fromEntries(
    await Promise.all(
      Object.entries(functor.import).map(
        async ([alias, specifier]) => [alias, await link(specifier)] as const,
      ),
    ),
  );
  const body = runScript(functor.script, functorFile(base)) as Body;
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

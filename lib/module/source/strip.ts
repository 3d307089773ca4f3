import { TypeScriptError } from '../errors.ts';

/** What the stripper throws: no error, but all that is needed for one. */
interface Complaint {
  readonly message?: string;
  readonly startLine?: number;
  readonly startColumn?: number;
  readonly snippet?: string;
}

const complain = (filename: string, cause: unknown): never => {
  const { message = String(cause), startLine, startColumn, snippet } = cause as Complaint;
  const place = startLine === undefined ? filename : `${filename}:${startLine}:${(startColumn ?? 0) + 1}`;
  throw new TypeScriptError(
    `${place}: ${message}. It can't be turned into JavaScript for the site.${snippet ? `\n${snippet}` : ''}`,
    { cause },
  );
};

/** Whether a file is TypeScript by its name. */
export const isTypeScript = (path: string): boolean => /\.[mc]?ts$/.test(path);

/**
 * The JavaScript of a TypeScript file, with a source map at its end if lines or columns have moved. Rejects with
 * TypeScriptError if the text is no valid TypeScript.
 */
export const strip = async (text: string, filename: string): Promise<{ code: string; mapped: boolean }> => {
  // Large, and most programs never need it.
  const { transformSync } = await import('@swc/wasm-typescript');
  try {
    // Types become white space, so that lines and columns in stack traces stay true.
    return { code: transformSync(text, { filename, mode: 'strip-only' }).code, mapped: false };
  } catch {
    // Enums, namespaces and parameter properties need code of their own; the map keeps the lines true.
    try {
      const { code, map } = transformSync(text, { filename, mode: 'transform', sourceMap: true });
      if (!map) return { code, mapped: false };
      const data = Buffer.from(map).toString('base64');
      return { code: `${code}\n//# sourceMappingURL=data:application/json;base64,${data}`, mapped: true };
    } catch (cause) {
      return complain(filename, cause);
    }
  }
};

/** What `--help` says about values that JSON has no word for. */
export const JSON_NOTE = [
  'VALUES',
  '',
  '  A result is printed as JSON. What JSON has no word for becomes: undefined null, a bigint its digits as a',
  '  string, a Date its ISO string, a Map a list of [key, value], a Set a list, bytes (Buffer, ArrayBuffer,',
  '  Uint8Array) base64, another typed array a list of numbers, an Error its name, message and code.',
].join('\n');

/** The part of an error that is printed. */
export interface PrintedError {
  name: string;
  message: string;
  code?: string | number;
  /** Of a call whose site died: whether it may have run. */
  mayHaveRun?: boolean;
}

/** An error, or anything else that was thrown, as it is printed. */
export const printedError = (error: unknown): PrintedError => {
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return {
      name: 'Error',
      message: typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error)),
    };
  }
  const { name, message, code, mayHaveRun } = error as Partial<PrintedError>;
  return {
    name: String(name ?? 'Error'),
    message: String(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof mayHaveRun === 'boolean' ? { mayHaveRun } : {}),
  };
};

const toPlain = (value: unknown): unknown => {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new TypeError(
      `The result holds a ${typeof value}, which can't be printed as JSON; return plain data.`,
    );
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map || value instanceof Set) return [...value];
  if (value instanceof Error) return printedError(value);
  if (value instanceof RegExp) return String(value);
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64');
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as Iterable<number | bigint>);
  }
  return value;
};

/** One line of JSON for any result. Throws a `TypeError` for a cycle, a function and a symbol. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value, function (this: Record<string, unknown>, key, converted: unknown) {
    // The value from its holder: a Buffer was turned into an object by its own toJSON by now.
    const own = this[key];
    if (own === undefined && key !== '') return undefined;
    return toPlain(ArrayBuffer.isView(own) ? own : converted);
  });

/** The line for an input that failed. */
export const errorLine = (error: unknown, input: string): string =>
  JSON.stringify({ error: printedError(error), input });

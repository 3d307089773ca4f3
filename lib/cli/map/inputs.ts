import { StringDecoder } from 'node:string_decoder';

/** One input with its place in the order in which inputs were given. */
export interface Task {
  readonly index: number;
  readonly input: string;
}

/** Where inputs come from; read one at a time, and only when there is somebody to work on it. */
export interface InputSource {
  /** How many there will be, if that is known. */
  readonly total: number | undefined;
  /** The next input, or `undefined` after the last one. */
  next(): Promise<Task | undefined>;
  /** Ends the source: a pending and every later `next` resolve to `undefined`. */
  close(): void;
}

/** Inputs that stand on the command line. */
export const fromArguments = (inputs: readonly string[]): InputSource => {
  let index = 0;
  let closed = false;
  return {
    total: inputs.length,
    next: async () => {
      const input = closed ? undefined : inputs[index];
      return input === undefined ? undefined : { index: index++, input };
    },
    close: () => {
      closed = true;
    },
  };
};

/** Splits a stream of bytes at its line ends (`\n` or `\r\n`); a last line without one counts as well. */
export async function* linesOf(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string, void> {
  // A decoder, because a character of several bytes may lie across two chunks.
  const decoder = new StringDecoder('utf8');
  let open = '';
  const strip = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line);
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield strip(open + text.slice(start, end));
      open = '';
      start = end + 1;
    }
    open += text.slice(start);
  }
  open += decoder.end();
  if (open !== '') yield strip(open);
}

/** Inputs that stand on the lines of a stream; a chunk is read when the lines of the one before are used up. */
export const fromLines = (stream: NodeJS.ReadableStream & { destroy?: () => void }): InputSource => {
  const lines = linesOf(stream);
  let index = 0;
  let closed = false;
  return {
    total: undefined,
    // Several workers ask at once; an async generator answers them in the order in which they asked.
    next: async () => {
      try {
        const step = await lines.next();
        return step.done || closed ? undefined : { index: index++, input: step.value };
      } catch (error) {
        if (closed) return undefined;
        throw error;
      }
    },
    close: () => {
      closed = true;
      stream.destroy?.();
    },
  };
};

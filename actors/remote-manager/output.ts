import { CUT_OFF } from '../../lib/engine/protocol.ts';
import { LineSplitter } from '../../lib/fork/lines.ts';
import { textOf } from '../../lib/wire/codec/remote-error.ts';

/** Where lines go: to this process's own streams with the site's name in front, nowhere, to a function or a stream. */
export type OutputSink = 'inherit' | 'ignore' | ((line: string) => void) | NodeJS.WritableStream;

/** How many of the last lines are kept to explain a death. */
const TAIL = 20;

/** How V8 says, past the link, that it has no memory left; what it prints behind may be longer than what is kept. */
const OUT_OF_MEMORY = /^(?:FATAL ERROR|# ?Fatal).*out of memory/i;

/** What takes single lines. */
export type LineSink = (line: string) => void;

const lineSink = (sink: OutputSink, name: string, own: NodeJS.WritableStream): LineSink => {
  if (sink === 'ignore') return () => {};
  if (sink === 'inherit') return (line) => void own.write(`${name}: ${line}\n`);
  if (typeof sink === 'function') return sink;
  return (line) => void sink.write(`${line}\n`);
};

/** A sink of the user's may throw, or reject; neither the site that printed nor this process must suffer for it. */
const forgiving = (sink: (line: string) => unknown, name: string): LineSink => {
  let warned = false;
  const failed = (cause: unknown) => {
    if (!warned) {
      process.emitWarning(`What takes the output of ${name} threw, and its line was lost: ${textOf(cause)}`);
    }
    warned = true;
  };
  return (line) => {
    try {
      const result = sink(line);
      if (result instanceof Promise) result.catch(failed);
    } catch (cause) {
      failed(cause);
    }
  };
};

/** What a site prints, line by line, to where its user wants it. */
export class SiteOutput {
  readonly #stdout: LineSplitter;
  readonly #stderr: LineSplitter;
  /** The last lines that were printed as errors, by JavaScript or past the link. */
  readonly tail: string[] = [];
  /** Takes a line that came past the link, from native code or a grandchild. */
  readonly onStrayLine: LineSink;
  /** Whether V8 said that there is no memory left. */
  outOfMemory = false;
  /** Whether the site said that it has ended because it was cut off. */
  cutOff = false;

  constructor(name: string, stdout: OutputSink, stderr: OutputSink) {
    const onError = forgiving(lineSink(stderr, name, process.stderr), name);
    const onErrorLine = (line: string) => {
      if (this.tail.push(line) > TAIL) this.tail.shift();
      onError(line);
    };
    this.onStrayLine = (line) => {
      if (OUT_OF_MEMORY.test(line)) this.outOfMemory = true;
      if (line === CUT_OFF) this.cutOff = true;
      onErrorLine(line);
    };
    this.#stdout = new LineSplitter(forgiving(lineSink(stdout, name, process.stdout), name));
    this.#stderr = new LineSplitter(onErrorLine);
  }

  /** Takes text that JavaScript in the site printed. */
  write(descriptor: number, text: string): void {
    (descriptor === 2 ? this.#stderr : this.#stdout).write(text);
  }

  /** Gives out what has no line feed behind it, because nothing will follow. */
  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}

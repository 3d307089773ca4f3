import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { HEARTBEAT } from '../engine/protocol.ts';

/** How many of the last lines are kept to explain a death. */
const TAIL = 20;
/** A line longer than this is broken, so that a site that never ends one can't fill the memory. */
const LONGEST = 64 * 1024;

/** Splits text into lines, whatever pieces it comes in. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(chunk: Buffer | string): void {
    this.#rest += typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    // Taken out where it is whole; what is split between two chunks becomes whole with the next.
    if (this.#rest.includes(HEARTBEAT)) this.#rest = this.#rest.replaceAll(HEARTBEAT, '');
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (this.#rest.length > LONGEST) this.end();
  }

  /** Gives out what has no line feed behind it. */
  end(): void {
    const rest = this.#rest;
    this.#rest = '';
    if (rest) this.#onLine(rest);
  }
}

/** Reads a stream line by line, remembers the last ones and when something came. */
export class LineReader {
  readonly tail: string[] = [];
  /** When something was last heard, on the clock of `performance.now()`. */
  heardAt = performance.now();
  /** Whether a sign of life has ever come this way. */
  beats = false;

  readonly #onLine: (line: string) => void;

  constructor(stream: Readable, onLine: (line: string) => void) {
    this.#onLine = onLine;
    this.read(stream);
  }

  /** Reads another stream too. */
  read(stream: Readable): void {
    const splitter = new LineSplitter((line) => {
      if (this.tail.push(line) > TAIL) this.tail.shift();
      this.#onLine(line);
    });
    stream.on('data', (chunk: Buffer) => {
      this.heardAt = performance.now();
      this.beats ||= chunk.includes(HEARTBEAT);
      splitter.write(chunk);
    });
    stream.on('end', () => splitter.end());
    stream.on('error', () => {});
  }
}

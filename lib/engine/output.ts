import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isMainThread } from 'node:worker_threads';

/** Where what is printed goes: a session. */
export interface OutputReceiver {
  output(descriptor: number, text: string): void;
}

/** What waits to be sent may take this many bytes; user code that prints more than is read blocks from there on. */
const MOST_WAITING = 4 * 1024 * 1024;

/** A stream in place of `process.stdout` or `process.stderr` that sends what it gets as output frames. */
class OutputFrames extends Writable {
  readonly fd: number;
  readonly #session: OutputReceiver;
  readonly #waiting: () => number;
  readonly #decoder = new StringDecoder('utf8');

  constructor(descriptor: number, session: OutputReceiver, waiting: () => number) {
    super({ decodeStrings: true });
    this.fd = descriptor;
    this.#session = session;
    this.#waiting = waiting;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#waiting() > MOST_WAITING) {
      // The manager does not keep up, or user code never lets go of the thread: the real stderr is slower, and
      // it is read all the same.
      try {
        writeSync(2, chunk);
      } catch {
        // Nobody reads it any more.
      }
    } else {
      this.#session.output(this.fd, this.#decoder.write(chunk));
    }
    done();
  }

  // Printing works to the end, as with the streams that these replace.
  override _destroy(_cause: Error | null, done: (cause?: Error | null) => void): void {
    done();
  }
}

/** Makes all that JavaScript prints in this site travel to its manager; `waiting` is in bytes. */
export const captureOutput = (session: OutputReceiver, waiting: () => number): void => {
  for (const [name, descriptor] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    const frames = new OutputFrames(descriptor, session, waiting);
    if (isMainThread) {
      Object.defineProperty(process, name, { get: () => frames, configurable: true, enumerable: true });
    } else {
      // Node's own code in a worker thread needs the stream that it made there, so that one is redirected.
      const write = (chunk: Buffer | string, encoding: BufferEncoding, done: () => void) => {
        frames.write(chunk, encoding);
        done();
      };
      Object.assign(process[name], { _write: write, _writev: null });
    }
  }
};

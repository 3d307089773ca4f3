// A peer that is another program, spoken to line by line.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** How long it may take to end by itself before it is killed, in milliseconds. */
const END = 2_000;

/** Whether a command is installed here. @param {string} command */
export const onPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/**
 * Rejects if a promise takes longer than `ms`.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} what
 * @returns {Promise<T>}
 */
const within = async (promise, ms, what) => {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms.`)), ms);
  });
  try {
    return /** @type {T} */ (await Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
};

/** A child whose lines can be awaited, and that ends with its input. */
export class Lines {
  #child;
  #exited;
  #lines;
  #name;

  /**
   * @param {string} name
   * @param {string[]} command
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(name, [file, ...words], env) {
    this.#name = name;
    this.#child = spawn(file, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    // A failed spawn has no exit event; the next line is then never there, which is an error of its own.
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve).once('error', resolve));
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /**
   * Writes a line, if there is one to write, and gives the next that comes.
   * @param {string} line
   * @param {number} bound
   * @returns {Promise<string>}
   */
  async ask(line, bound) {
    if (line) this.#child.stdin.write(`${line}\n`);
    const { done, value } = await within(this.#lines.next(), bound, `${this.#name}, asked for "${line}",`);
    if (done) throw new Error(`${this.#name} ended before it answered.`);
    return value;
  }

  /** Lets it end, and kills it, by its own id, if it does not. */
  async close() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END);
    await this.#exited;
    clearTimeout(timer);
  }
}

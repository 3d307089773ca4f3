// Two Erlang nodes on 127.0.0.1, with an epmd and a cookie of their own: nothing of the machine's is used or left.
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How long a node may take to start, and a round to be done, in milliseconds. */
const START = 15_000;
const ROUND = 60_000;
/** How long a node may take to end by itself before it is killed, in milliseconds. */
const END = 2_000;

/** @param {string} command */
const onPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Whether Erlang is installed here. */
export const hasErlang = () => onPath('erl') && onPath('epmd');

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
};

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
class Lines {
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

/** Starts the nodes; `close` ends them and their epmd. */
export const erlang = async () => {
  const home = mkdtempSync(join(tmpdir(), 'offsite-erlang-'));
  const env = {
    ...process.env,
    HOME: home,
    ERL_EPMD_PORT: String(await freePort()),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_CRASH_DUMP_BYTES: '0',
  };
  // In a file and not on a command line, where others could read it.
  writeFileSync(join(home, '.erlang.cookie'), randomBytes(24).toString('hex'), { mode: 0o400 });
  copyFileSync(
    fileURLToPath(new URL('./offsite_bench.erl', import.meta.url)),
    join(home, 'offsite_bench.erl'),
  );
  const id = randomUUID().slice(0, 8);
  const server = `server_${id}@localhost`;
  /** @type {(name: string, run: string) => string[]} */
  const node = (name, run) => [
    ...['erl', '-sname', name, '-start_epmd', 'false', '-noshell', '+Bd'],
    ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', '-eval', run],
  ];
  /** @type {Lines[]} */
  const started = [];
  const start = (/** @type {string} */ name, /** @type {string[]} */ command) => {
    const child = new Lines(name, command, env);
    started.push(child);
    return child;
  };
  const close = async () => {
    for (const child of started.splice(0).reverse()) await child.close();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    // It would outlive this program's sudden death; the shell ends it when its own input ends.
    const watched = 'epmd & pid=$!; echo up; cat >/dev/null; kill $pid; wait $pid 2>/dev/null';
    await start('epmd', ['sh', '-c', watched]).ask('', START);
    const serve = 'io:format("up~n"), io:get_line(""), erlang:halt(0, [{flush, false}]).';
    const serving = start('The serving node', node(server, serve));
    await serving.ask('', START);
    const compile = `{ok, M, Code} = compile:file("${home}/offsite_bench.erl", [binary]), {module, M} = code:load_binary(M, "offsite_bench", Code), M:main().`;
    const client = start('The calling node', node(`client_${id}@localhost`, compile));
    await client.ask(`connect ${server}`, START);
    return {
      /**
       * One sample for each call, in microseconds.
       * @param {number} count
       */
      awaited: async (count) => {
        const line = await client.ask(`awaited ${count}`, ROUND);
        return Float64Array.from(line.split(' '), (ns) => Number(ns) / 1000);
      },
      /**
       * Microseconds for each of `count` calls from some processes at once.
       * @param {number} count
       * @param {number} processes
       */
      together: async (count, processes) =>
        Number(await client.ask(`together ${count} ${processes}`, ROUND)) / 1000 / count,
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
};

// Two Erlang nodes on 127.0.0.1, with an epmd and a cookie of their own: nothing of the machine's is used or left.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Lines, onPath } from './lines.js';

/** How long a node may take to start, and a round to be done, in milliseconds. */
const START = 15_000;
const ROUND = 60_000;

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

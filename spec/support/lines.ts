import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach } from 'vitest';
import { connect, type Limits, type Peer, type Remote, type RemoteManager } from '../../lib/index.ts';
import { type Bench, fixture } from './sites.ts';

/** The type of the module at the other end. */
export type Wire = typeof import('./fixtures/wire.js');

/** One session with another realm, in which the fixture wire.js is the module that is called. */
export interface Line {
  /** Its name in errors that come from there. */
  readonly name: string;
  readonly remote: Remote<Wire>;
  /** How many calls wait for an answer. */
  readonly inFlight: number;
  /** Ends the session in order. */
  close(): Promise<void>;
  /** Ends the other realm as a crash does. */
  kill(): Promise<void>;
}

/**
 * What the cases of the conformance suite work with that only need a module at the other end, and not a manager: what
 * two sessions promise each other, whoever made them.
 */
export interface Lines {
  /** Whether the other realm is a thread of this process. */
  readonly sharesMemory: boolean;
  /** Whether both ends of a line are on this host, with nothing between them that is slow. */
  readonly near: boolean;
  /** Whether a GiB is tried over them, which takes some seconds. */
  readonly takesGiB: boolean;
  /** The line that the cases which do it no harm share; made at first use, closed after the last. */
  shared(): Promise<Line>;
  /** A line of the case's own, closed after it. */
  own(limits?: Partial<Limits>): Promise<Line>;
}

const lineTo = async (site: RemoteManager): Promise<Line> => ({
  name: site.name,
  remote: await site.link<Wire>(fixture('wire.js')),
  get inFlight() {
    return site.inFlight;
  },
  close: () => site.close(),
  // A process that is told to exit with calls unanswered has crashed, as far as its manager knows.
  async kill() {
    const ended = new Promise((resolve) => site.on('exit', resolve));
    const { exit } = await site.link<Wire>(fixture('wire.js'));
    void exit(1);
    await ended;
  },
});

/** The lines of a bench: each to a site, over whatever link its fork method has. */
export function linesTo(bench: Bench): Lines {
  let shared: Promise<Line> | undefined;
  return {
    get sharesMemory() {
      return bench.virtual;
    },
    get near() {
      return ['virtual', 'sh'].includes(bench.site().fork);
    },
    get takesGiB() {
      return this.near;
    },
    shared() {
      shared ??= lineTo(bench.site());
      return shared;
    },
    own: (limits) => lineTo(bench.fork(limits && { limits })),
  };
}

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

const startServer = async (): Promise<Server> => {
  const program = spawn(process.execPath, [fixture('websocket-server.js').pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface(program.stdout), 'line')) as [string];
  return { process: program, url: `ws://127.0.0.1:${port}` };
};

const endServer = async ({ process: program }: Server): Promise<void> => {
  const ended = once(program, 'exit');
  program.stdin!.end();
  await ended;
};

/** Lines over WebSockets, between this program and others; made inside a `describe`, its hooks end what was started. */
export function websocketLines(): Lines {
  let server: Promise<Server> | undefined;
  let shared: Promise<Line> | undefined;
  const peers: Peer[] = [];
  const own = new Set<Server>();
  const closeAll = async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
    await Promise.all([...own].map(endServer));
    own.clear();
  };
  const connectTo = async (to: Server, limits?: Partial<Limits>): Promise<Line & { peer: Peer<Wire> }> => {
    const query = limits ? `?limits=${encodeURIComponent(JSON.stringify(limits))}` : '';
    const peer = await connect<Wire>(`${to.url}/${query}`, { main: {}, ...(limits && { limits }) });
    return {
      peer,
      name: peer.name,
      remote: peer.main,
      get inFlight() {
        return peer.inFlight;
      },
      close: () => peer.close(),
      async kill() {
        own.delete(to);
        to.process.kill('SIGKILL');
        await peer.closed;
      },
    };
  };
  afterEach(closeAll);
  afterAll(async () => {
    await (await shared)?.close();
    if (server) await endServer(await server);
  });
  return {
    sharesMemory: false,
    near: true,
    takesGiB: false,
    shared() {
      server ??= startServer();
      shared ??= server.then((running) => connectTo(running));
      return shared;
    },
    async own(limits) {
      const to = await startServer();
      own.add(to);
      const line = await connectTo(to, limits);
      peers.push(line.peer as Peer);
      return line;
    },
  };
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects garbage until something holds; throws if it still does not after so many milliseconds. */
export async function collectedUntil(holds: () => unknown, within = 15_000): Promise<void> {
  const start = performance.now();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  do {
    if (performance.now() - start > within)
      throw new Error(`What nobody holds was not collected in ${within} ms.`);
    // A turn between, because what a turn has looked at through a WeakRef lives as long as that.
    await turn();
    gc();
    await turn();
  } while (!(await holds()));
}

/** A promise, and what settles it: for a callback that a test waits for. */
export function signalled<T extends unknown[]>(): { tell: (...words: T) => void; told: Promise<T> } {
  let tell!: (...words: T) => void;
  const told = new Promise<T>((resolve) => {
    tell = (...words) => resolve(words);
  });
  return { tell, told };
}

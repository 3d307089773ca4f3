import type { Visitor } from '../../lib/access/visitor.ts';
import { joinSockets } from '../../lib/fork/daemon/join-sockets.ts';
import {
  type FromDaemon,
  LONGEST_MESSAGE,
  readMessage,
  type StartSite,
} from '../../lib/fork/daemon/messages.ts';
import { watchClient } from '../../lib/fork/daemon/watch-client.ts';
import type { ClosableSocket } from '../../lib/wire/link/websocket.ts';

/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;
/** Who says more than this before he was answered says too much. */
const MOST_EARLY = 16;

type Refused = (FromDaemon & { readonly refused: unknown })['refused'];

/** A client's connection for one site, from what he asks for to the end of both. */
export class SiteVisit {
  readonly visitor: Visitor;
  /** What he asks for; `undefined` if he goes, says something else, or says nothing in time. */
  readonly start: Promise<StartSite | undefined>;
  /** Aborted when he has gone. */
  readonly gone: AbortSignal;
  readonly #socket: ClosableSocket;
  readonly #early: [Buffer, boolean][] = [];
  #handedOn = false;
  #heardAt = performance.now();

  constructor(visitor: Visitor, within: number) {
    this.visitor = visitor;
    const { socket } = visitor;
    this.#socket = socket;
    const gone = new AbortController();
    this.gone = gone.signal;
    const heard = () => {
      this.#heardAt = performance.now();
    };
    socket.on('pong', heard);
    socket.on('error', () => {});
    this.start = new Promise((resolve) => {
      const late = setTimeout(() => socket.terminate(), within).unref();
      socket.on('message', (data, isBinary) => {
        heard();
        if (this.#handedOn) return;
        this.#early.push([data as Buffer, isBinary]);
        if (this.#early.length > MOST_EARLY || (data as Buffer).length > LONGEST_MESSAGE)
          return socket.terminate();
        if (this.#early.length > 1) return;
        clearTimeout(late);
        const message = isBinary ? undefined : readMessage((data as Buffer).toString('utf8'));
        if (message && 'start' in message) return resolve(message.start);
        socket.terminate();
        resolve(undefined);
      });
      socket.on('close', () => {
        clearTimeout(late);
        gone.abort();
        resolve(undefined);
      });
    });
    socket.resume();
  }

  /** Tells him why there is no site for him, and ends it. */
  refuse(refused: Refused): void {
    this.#socket.send(Buffer.from(JSON.stringify({ refused })), { binary: false }, () => {});
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), LAST_WORDS_WITHIN).unref();
  }

  /** Hands all on to a node, what he has said before included, until either ends; `lease` is in milliseconds. */
  async through(node: ClosableSocket, start: StartSite, lease: number): Promise<void> {
    this.#handedOn = true;
    const client = this.#socket;
    // The node need not know that it was chosen.
    const { node: _chosen, waits: _waits, ...rest } = start;
    node.send(Buffer.from(JSON.stringify({ start: rest })), { binary: false }, () => {});
    for (const [data, binary] of this.#early.splice(0).slice(1)) node.send(data, { binary }, () => {});
    const self = this;
    const watched = {
      get heardAt() {
        // While it is held up nothing can be heard of it, which says nothing against it.
        return client.isPaused ? performance.now() : self.#heardAt;
      },
      ping: () => client.ping(),
      drop: () => client.terminate(),
    };
    const endAfter = start.endAfter ?? Infinity;
    const watch = watchClient(watched, this.visitor.ends, { lease, endAfter });
    await joinSockets(client, node);
    clearInterval(watch);
  }
}

import type { Visitor } from '../../lib/access/visitor.ts';
import { watchClient } from '../../lib/fork/daemon/watch-client.ts';

/** Somebody who is told things over a WebSocket, as messages of text, until he has gone. */
export class Caller {
  /** Resolves when he has gone. Never rejects. */
  readonly gone: Promise<void>;
  heardAt = performance.now();
  readonly #socket: Visitor['socket'];

  /** The visitor's socket is its own from now on. He who gives no sign of life for `lease` ms is dropped. */
  constructor({ socket, ends }: Visitor, lease: number, onText: (text: string) => void) {
    this.#socket = socket;
    const heard = () => {
      this.heardAt = performance.now();
    };
    socket.on('ping', heard);
    socket.on('pong', heard);
    socket.on('message', (data, isBinary) => {
      heard();
      if (isBinary) this.drop();
      else onText((data as Buffer).toString('utf8'));
    });
    // What breaks it closes it, too.
    socket.on('error', () => {});
    const watch = watchClient(this, ends, { lease, endAfter: Number.POSITIVE_INFINITY });
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(watch);
        resolve();
      });
    });
    socket.resume();
  }

  /** How much waits here that he has not taken, in bytes. */
  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  /** Says something; nothing happens if he has gone. */
  say(message: object): void {
    this.#socket.send(Buffer.from(JSON.stringify(message)), { binary: false }, () => {});
  }

  ping(): void {
    try {
      this.#socket.ping();
    } catch {
      // It is not open any more.
    }
  }

  /** Ends the connection when what was said has left, after `within` ms at the latest. */
  async end(within: number): Promise<void> {
    const late = setTimeout(() => this.drop(), within);
    this.#socket.close();
    await this.gone;
    clearTimeout(late);
  }

  drop(): void {
    this.#socket.terminate();
  }
}

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { LanInterface } from './interfaces.ts';

/** Where multicast DNS is spoken (RFC 6762, section 3). */
export const MDNS_PORT = 5353;
export const MDNS_GROUPS = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' } as const;

type Sent = (error: Error | null, bytes: number) => void;

/**
 * The socket of one interface, in the form that multicast-dns takes. That library has one socket for all interfaces and
 * asks over the default route alone (its issues 32, 43 and 68); it keeps the process alive by a timer, and errors of its
 * socket that nobody hears end the process. So each interface has a socket of its own, bound before the library gets it;
 * packets that came in by another interface are dropped (Linux gives them to every socket of the port, and RFC 6762,
 * section 11, wants it); errors are kept and not told. It never keeps the process alive.
 */
export class MulticastSocket extends EventEmitter {
  readonly at: LanInterface;
  /** How many packets went out and came in. */
  sent = 0;
  heard = 0;
  /** Why it is of no use any more, for instance because the network went away. */
  trouble: Error | undefined;
  readonly #socket: Socket;
  #isClosed = false;

  private constructor(at: LanInterface, socket: Socket) {
    super();
    this.at = at;
    this.#socket = socket;
    socket.on('error', (error) => {
      this.trouble ??= error;
    });
    socket.on('message', (message, from) => this.#hear(message, from));
  }

  /** Joins the group on an interface. Rejects with what the operating system says; then nothing is left open. */
  static async open(at: LanInterface): Promise<MulticastSocket> {
    const isFour = at.family === 'IPv4';
    const socket = createSocket({ type: isFour ? 'udp4' : 'udp6', reuseAddr: true, ipv6Only: !isFour });
    socket.unref();
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port: MDNS_PORT, address: isFour ? '0.0.0.0' : '::', exclusive: true }, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      const door = isFour ? at.address : `::%${at.name}`;
      socket.addMembership(MDNS_GROUPS[at.family], door);
      socket.setMulticastInterface(door);
      socket.setMulticastTTL(255);
      // Nodes of this very host are to be found as well.
      socket.setMulticastLoopback(true);
    } catch (cause) {
      socket.on('error', () => {});
      socket.close();
      throw cause;
    }
    return new MulticastSocket(at, socket);
  }

  /** As of `dgram`, but always to the group; the error goes nowhere but to `trouble`. */
  send(message: Uint8Array, offset: number, length: number, _port: number, _to: string, sent?: Sent): void {
    const done = (error: Error | null) => {
      if (error) this.trouble ??= error;
      else this.sent += 1;
      sent?.(null, length);
    };
    if (this.#isClosed) return process.nextTick(done, null);
    try {
      this.#socket.send(message, offset, length, MDNS_PORT, MDNS_GROUPS[this.at.family], done);
    } catch (cause) {
      process.nextTick(done, cause as Error);
    }
  }

  close(closed?: () => void): void {
    if (this.#isClosed) {
      if (closed) process.nextTick(closed);
      return;
    }
    this.#isClosed = true;
    this.#socket.close(closed);
  }

  #hear(message: Buffer, from: RemoteInfo): void {
    if (this.#isClosed || !this.at.reaches(from.address)) return;
    this.heard += 1;
    try {
      this.emit('message', message, from);
    } catch {
      // Anybody in the network can send packets at which the library throws; they are dropped.
    }
  }
}

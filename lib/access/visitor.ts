import type { ClosableSocket } from '../wire/link/websocket.ts';
import type { Domain } from './credentials.ts';

/** Both ends of a connection, as the operating system names it. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** Somebody who has proved who he is, and has opened a WebSocket. */
export interface Visitor {
  /** The user by whose credentials he came; `local` for one of this host, where none are asked for. */
  readonly user: string;
  readonly domain: Domain;
  /** By what he proved it. */
  readonly by: 'key' | 'certificate' | 'password' | 'loopback';
  /** Where he comes from, `host:port`. */
  readonly from: string;
  /** What he asked for: the URL's path, with what is behind a `?`. */
  readonly path: string;
  /** Open and paused; the owner's from now on. */
  readonly socket: ClosableSocket;
  readonly ends: Ends;
}

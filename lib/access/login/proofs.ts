import { createHmac } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** What a login gives both sides: the right to come in again for a while. */
export interface Session {
  /** What names it in the handshake. */
  readonly identity: string;
  /** The key by which both sides are proved then. */
  readonly key: Buffer;
}

/** What both sides have after a password was right. */
export interface Proofs {
  /** What the client shows. */
  readonly client: Buffer;
  /** What the server shows, for a session that lasts so many seconds. */
  server(seconds: number): Buffer;
  readonly session: Session;
}

/** How many bytes a proof has. */
export const PROOF_SIZE = 32;

/**
 * Binds the key that a password gave to the TLS connection that it was given over (channel binding by RFC 9266's
 * exporter): somebody in the middle has two connections, whose values differ. The roles are in the labels, so that what
 * one side shows is of no use to show it back.
 */
export const proofsFor = (socket: TLSSocket, sessionKey: Uint8Array): Proofs => {
  const channel = socket.exportKeyingMaterial(32, 'EXPORTER-offsite-login', Buffer.alloc(0));
  const made = (label: string, more: Uint8Array = Buffer.alloc(0)): Buffer =>
    createHmac('sha256', sessionKey)
      .update(`offsite-login/1 ${label}\0`)
      .update(channel)
      .update(more)
      .digest();
  return {
    client: made('client proof'),
    server: (seconds) => {
      const lasts = Buffer.alloc(4);
      lasts.writeUInt32BE(seconds);
      return made('server proof', lasts);
    },
    session: {
      identity: `offsite/session/${made('session name').subarray(0, 16).toString('base64url')}`,
      key: made('session key'),
    },
  };
};

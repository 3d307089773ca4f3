import { timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { readFrame, writeFrame } from './frames.ts';
import { beginLogin, SIZES } from './opaque.ts';
import { PROOF_SIZE, proofsFor, type Session } from './proofs.ts';

/** What a login came to: a session that lasts so many milliseconds, a wrong user or password, or how long to stay away. */
export type Outcome =
  | { readonly session: Session; readonly lasts: number }
  | { readonly wrong: true }
  | { readonly later: number };

/** The client's side of a login; rejects if the other side breaks it off, or says something else. The socket is the caller's. */
export const logIn = async (socket: TLSSocket, user: string, password: string): Promise<Outcome> => {
  const exchange = await beginLogin(user, password);
  writeFrame(socket, 'start', exchange.start, Buffer.from(user, 'latin1'));
  const answer = await readFrame(socket, 'response', 'later');
  if (answer.kind === 'later') return { later: answer.body.readUInt32BE(0) };
  if (answer.body.length !== SIZES.response) return { wrong: true };
  const finished = exchange.finish(answer.body);
  // The password is wrong, or the server has not this user's verifier: nobody can tell the one from the other.
  if (!finished) return { wrong: true };
  const proofs = proofsFor(socket, finished.sessionKey);
  writeFrame(socket, 'finish', finished.finish, proofs.client);
  const { kind, body } = await readFrame(socket, 'welcome', 'wrong');
  if (kind === 'wrong' || body.length !== 4 + PROOF_SIZE) return { wrong: true };
  const seconds = body.readUInt32BE(0);
  // Who has not the verifier can not have made it, and who is in the middle has another channel.
  if (!timingSafeEqual(proofs.server(seconds), body.subarray(4))) return { wrong: true };
  return { session: proofs.session, lasts: seconds * 1_000 };
};

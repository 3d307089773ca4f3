import { timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { isUserName } from '../key-file.ts';
import type { Passwords } from '../password-file.ts';
import { readFrame, writeFrame } from './frames.ts';
import { answerLogin, SIZES } from './opaque.ts';
import { PROOF_SIZE, proofsFor } from './proofs.ts';
import { SESSION_LASTS, type Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';

/** What a server has for logins. */
export interface LoginDesk {
  /** What the file says now; `undefined` while it is wrong. */
  passwords(): Passwords | undefined;
  readonly sessions: Sessions;
  readonly throttle: Throttle;
}

const inFourBytes = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/**
 * The server's side of a login. Users that are not there get the same answers, of the same sizes, after the same work.
 * Rejects if the other side breaks it off or says something else; whoever called owns the socket and its time.
 */
export const serveLogin = async (
  socket: TLSSocket,
  { passwords, sessions, throttle }: LoginDesk,
): Promise<void> => {
  const { body } = await readFrame(socket, 'start');
  const start = body.subarray(0, SIZES.start);
  const user = body.subarray(SIZES.start).toString('latin1');
  const known = passwords();
  if (!known || start.length !== SIZES.start || !isUserName(user)) return;
  const turn = throttle.ask(user, socket.remoteAddress ?? '');
  if (typeof turn === 'number') {
    writeFrame(socket, 'later', inFourBytes(Math.ceil(turn)));
    return;
  }
  // It need not hold the program: the socket does, and its owner ends it.
  if (turn.wait > 0) await delay(turn.wait, undefined, { ref: false });
  if (socket.destroyed) return;
  const verifier = known.verifiers.get(user);
  const answer = await answerLogin(known.setup, user, verifier?.record, start);
  writeFrame(socket, 'response', answer.response);
  const { body: shown } = await readFrame(socket, 'finish');
  const sessionKey =
    shown.length === SIZES.finish + PROOF_SIZE ? answer.check(shown.subarray(0, SIZES.finish)) : undefined;
  const proofs = sessionKey && proofsFor(socket, sessionKey);
  if (!verifier || !proofs || !timingSafeEqual(proofs.client, shown.subarray(SIZES.finish))) {
    writeFrame(socket, 'wrong');
    return;
  }
  turn.right();
  sessions.begin(user, verifier, proofs.session);
  writeFrame(socket, 'welcome', inFourBytes(SESSION_LASTS), proofs.server(SESSION_LASTS));
};

import type { client, ready, server } from '@serenity-kit/opaque';

/**
 * OPAQUE (RFC 9807), the password-authenticated key exchange: the server never learns the password, what it keeps can
 * not be shown to anybody in its place, and who listens or asks can try one guess per exchange. This module turns the
 * package's texts into bytes of fixed sizes, and loads it when the first password is used.
 */
interface Opaque {
  readonly client: typeof client;
  readonly server: typeof server;
  readonly ready: typeof ready;
}

/** How many bytes each message of an exchange has. */
export const SIZES = { start: 96, response: 320, finish: 64, sessionKey: 64 } as const;
/** Argon2id with 64 MiB and 3 passes (the second choice of RFC 9106): about 0.3 s of the client's time for each guess. */
const STRETCHING = 'memory-constrained';
const SERVER = 'offsite';

const load = async (): Promise<Opaque> => {
  const opaque = (await import('@serenity-kit/opaque')) as Opaque;
  await opaque.ready;
  return opaque;
};

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
const text = (read: Uint8Array): string => Buffer.from(read).toString('base64url');
const namesFor = (user: string) => ({ client: user, server: SERVER });

/** The secret part that a server keeps for all its users. */
export const newServerSetup = async (): Promise<string> => (await load()).server.createSetup();

/** Both sides of a registration at once; gives the verifier that the server keeps. */
export const register = async (setup: string, user: string, password: string): Promise<string> => {
  const { client, server } = await load();
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password });
  const { registrationResponse } = server.createRegistrationResponse({
    serverSetup: setup,
    userIdentifier: user,
    registrationRequest,
  });
  const { registrationRecord } = client.finishRegistration({
    password,
    registrationResponse,
    clientRegistrationState,
    identifiers: namesFor(user),
    keyStretching: STRETCHING,
  });
  return registrationRecord;
};

/** The client's first message, and what makes its second one of the server's answer: nothing if the password is wrong. */
export const beginLogin = async (user: string, password: string) => {
  const { client } = await load();
  const { clientLoginState, startLoginRequest } = client.startLogin({ password });
  return {
    start: bytes(startLoginRequest),
    finish: (response: Uint8Array): { finish: Buffer; sessionKey: Buffer } | undefined => {
      const done = client.finishLogin({
        clientLoginState,
        loginResponse: text(response),
        password,
        identifiers: namesFor(user),
        keyStretching: STRETCHING,
      });
      return done && { finish: bytes(done.finishLoginRequest), sessionKey: bytes(done.sessionKey) };
    },
  };
};

/**
 * The server's answer, and what checks the client's second message: the session's key, or nothing if the client did not
 * know the password. Without a record (there is no such user) all is done as with one, and fails at the end. Throws if
 * the first message is no such message.
 */
export const answerLogin = async (
  setup: string,
  user: string,
  record: string | undefined,
  start: Uint8Array,
) => {
  const { server } = await load();
  const { serverLoginState, loginResponse } = server.startLogin({
    serverSetup: setup,
    userIdentifier: user,
    registrationRecord: record,
    startLoginRequest: text(start),
    identifiers: namesFor(user),
  });
  return {
    response: bytes(loginResponse),
    check: (finish: Uint8Array): Buffer | undefined => {
      try {
        const { sessionKey } = server.finishLogin({
          serverLoginState,
          finishLoginRequest: text(finish),
          identifiers: namesFor(user),
        });
        return bytes(sessionKey);
      } catch {
        return undefined;
      }
    },
  };
};

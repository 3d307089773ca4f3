import { once } from 'node:events';
import type { Remote } from '../../lib/module/remote.ts';
import { bound } from '../../lib/wire/call/bound.ts';
import { ProtocolError, SiteCrashedError } from '../../lib/wire/errors.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import type { Limits } from '../../lib/wire/limits.ts';
import type { Link } from '../../lib/wire/link/link.ts';
import { Session } from '../../lib/wire/session.ts';

/** How often is looked whether anything is still held through a connection, in milliseconds; who holds it ends it. */
const LOOK_EVERY = 1_000;

/** What a process that offers a value gives to who has come for it. */
export interface Giver {
  give(): unknown;
}

const lost = (name: string, cause: Error | undefined) => (mayHaveRun: boolean) =>
  new SiteCrashedError(
    `The process that offered ${name} is gone, or the way to it; ${mayHaveRun ? 'the call may have run' : 'the call was not sent'}. Ask for another ticket to go on.`,
    { exitCode: null, signal: null, stderr: [] },
    mayHaveRun,
    cause && { cause },
  );

/** What is known of the way to a value that is to be taken. */
export interface Taking {
  readonly name: string;
  readonly link: Link;
  /** Frees the way when nothing is held through it any more. */
  readonly leave: () => unknown;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<Limits> | undefined;
}

/**
 * Takes a value from the process that offers it. As long as something of it is held here, or something that was given
 * to it is held there, the connection lasts; nothing of it keeps the program alive but a call that waits.
 */
export const takeOver = async ({ name, link, leave, timeout, signal, limits }: Taking): Promise<unknown> => {
  const over = new AbortController();
  const session: Session = new Session(
    name,
    undefined,
    {
      hello: (greeting) => {
        const { protocol } = (greeting ?? {}) as { protocol?: unknown };
        if (protocol === PROTOCOL) return;
        link.destroy(
          new ProtocolError(
            `The process that offers ${name} speaks protocol ${String(protocol)}, this one ${PROTOCOL}.`,
          ),
        );
      },
      disconnected: (cause) => {
        session.end(lost(name, cause));
        over.abort();
      },
    },
    { limits },
  );
  void once(over.signal, 'abort').then(leave);
  session.greet({ protocol: PROTOCOL });
  session.attach(link);
  const end = () => {
    session.end(lost(name, undefined));
    link.destroy();
  };
  const isHeld = () => {
    const { imports, exports, streams } = session.references;
    return imports + exports + streams + session.inFlight > 0;
  };
  try {
    const giver = session.main as unknown as Remote<Giver>;
    const given: unknown = await bound(giver.give(), `Taking ${name}`, { timeout, signal });
    const looking = setInterval(() => isHeld() || end(), LOOK_EVERY);
    looking.unref();
    over.signal.addEventListener('abort', () => clearInterval(looking));
    // What came as a copy needs no way back.
    if (!isHeld()) end();
    return given;
  } catch (cause) {
    end();
    throw cause;
  }
};

import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { Door } from '../../lib/ticket/door.ts';
import type { TicketReason } from '../../lib/ticket/errors.ts';
import { IN_FOLDER, makePrivateFolder } from '../../lib/ticket/folder.ts';
import { Keys, type Pass, type TicketTerms } from '../../lib/ticket/keys.ts';
import { sweep, writeState } from '../../lib/ticket/site-folder.ts';
import { SiteClosedError } from '../../lib/wire/errors.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import { StreamLink } from '../../lib/wire/link/stream-link.ts';
import { Session } from '../../lib/wire/session.ts';

/** The longest time that Node's timers take. */
const FOREVER = 2 ** 31 - 1;

/**
 * Where this process offers values to others of the same user: a private socket that is made with the first offer and
 * goes with the process. It keeps the process alive only while somebody is connected.
 */
export class Counter {
  readonly folder = makePrivateFolder();
  /** Resolves when it can be reached. */
  readonly open: Promise<void>;
  readonly #keys = new Keys<unknown>();
  readonly #door: Door<unknown>;
  readonly #takers = new Set<Session>();
  #holder: NodeJS.Timeout | undefined;

  constructor() {
    const { folder } = this;
    this.#door = new Door(join(folder, IN_FOLDER.door), {
      open: (id, key) => this.#keys.open(id, key),
      welcome: (socket, value) => this.#serve(socket, value),
    });
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    this.open = this.#door.listen().then(() => {
      this.#door.unref();
      const { pid, versions } = process;
      const name = basename(process.argv[1] ?? process.execPath);
      writeState(folder, {
        kind: 'offer',
        pid,
        name,
        since: Date.now(),
        node: versions.node,
        protocol: PROTOCOL,
      });
      void sweep();
    });
  }

  /** Makes a pass for a value. */
  issue(value: unknown, terms: TicketTerms): Pass {
    return this.#keys.issue(value, terms);
  }

  /** What a pass is for, or why it is for nothing any more. */
  take({ id, key }: Pass): { readonly value: unknown } | TicketReason {
    return this.#keys.open(id, Buffer.from(key, 'base64url'));
  }

  /** Takes a pass back; says whether it could still be used. */
  retract(id: string): boolean {
    return this.#keys.retract(id);
  }

  #serve(socket: Socket, value: unknown): void {
    let offered: { readonly value: unknown } | undefined = { value };
    const link = new StreamLink(socket, socket);
    const main = {
      give: () => {
        const given = offered;
        // Held here no longer than until it is on its way.
        offered = undefined;
        return given?.value;
      },
    };
    const session: Session = new Session('the taker', main, {
      hello: (greeting) => {
        const { protocol } = (greeting ?? {}) as { protocol?: unknown };
        if (protocol !== PROTOCOL) link.destroy();
      },
      disconnected: () => {
        session.end((mayHaveRun) => new SiteClosedError('Who took this value has gone.', mayHaveRun));
        link.destroy();
        this.#takers.delete(session);
        this.#hold();
      },
    });
    session.greet({ protocol: PROTOCOL });
    this.#takers.add(session);
    this.#hold();
    session.attach(link);
  }

  /** Keeps the process while anybody is connected, whatever else unrefs his socket. */
  #hold(): void {
    if (this.#takers.size > 0) this.#holder ??= setInterval(() => {}, FOREVER);
    else {
      clearInterval(this.#holder);
      this.#holder = undefined;
    }
  }
}

import type { Socket } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Door, Want } from '../../ticket/door.ts';
import { IN_FOLDER } from '../../ticket/folder.ts';
import { Keys, newPass, type TicketTerms } from '../../ticket/keys.ts';
import { publishLease } from '../../ticket/lease.ts';
import { LogFile } from '../../ticket/log-file.ts';
import { clearFolder, sweep, writePass, writeState } from '../../ticket/site-folder.ts';
import { SiteClosedError } from '../../wire/errors.ts';
import { PROTOCOL } from '../../wire/frame/frame.ts';
import type { Link } from '../../wire/link/link.ts';
import { StreamLink } from '../../wire/link/stream-link.ts';
import { Session } from '../../wire/session.ts';
import { becomeSite, ownGreeting, type Refusal, refusalOf } from '../become-site.ts';
import { closeChildren } from '../closers.ts';
import { managerGreeting } from '../greetings.ts';
import { captureOutput } from '../output.ts';
import { EXIT_ORPHANED, EXIT_REFUSED, type ManagerGreeting } from '../protocol.ts';
import { SiteService } from '../site-service.ts';
import { type Client, Clients } from './clients.ts';
import type { DetachedSetup } from './order.ts';
import { startPulse } from './pulse.ts';

/** How long the last frames may take to leave, in milliseconds. */
const FLUSH_WITHIN = 1_000;
/** How long the first client may take to come and say who it is, in milliseconds; without it nobody wants this site. */
const FIRST_WITHIN = 30_000;
/** How often is looked whether native code has filled the log, in milliseconds. */
const TURN_EVERY = 5_000;
/** What may wait for one client, in bytes; what is printed from there on it does not get, but the log has it. */
const MOST_WAITING = 4 * 1024 * 1024;

/** Who has a key: the manager that has the site started, or whoever got a ticket later. */
type Guest = 'first' | 'later';

interface Attached extends Client {
  readonly link: Link;
  sameDisk: boolean;
  greeted: boolean;
}

/** The program of a site that has no parent: anybody with a ticket can attach, several at once, and it outlives them. */
export class DetachedEngine {
  readonly #setup: DetachedSetup;
  readonly #clients = new Clients();
  readonly #service: SiteService;
  readonly #keys = new Keys<Guest>();
  readonly #door: Door<Guest>;
  readonly #log: LogFile;
  /** Shared with the pulse: how many calls run, whoever made them. */
  /** How many calls run, and how long its lease is if that was changed, for all threads. */
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  /** Whether it was started by a process of this host, whose disk it has. */
  #local = false;
  #wanted = false;
  #leaving = false;

  constructor(setup: DetachedSetup) {
    this.#setup = setup;
    this.#service = new SiteService(this.#clients, () => this.#local && this.#clients.sameDisk());
    this.#log = new LogFile(setup.folder);
    this.#keys.issue('first', { once: true, expires: FIRST_WITHIN }, setup.pass);
    this.#door = new Door(join(setup.folder, IN_FOLDER.door), {
      open: (id, key) => (this.#leaving ? 'gone' : this.#keys.open(id, key)),
      welcome: (socket, guest, want) =>
        want === Want.close ? void this.#close() : this.#welcome(socket, guest),
    });
  }

  /** Begins to serve; rejects if it can't be reached. */
  async start(): Promise<void> {
    const { folder, name, idleTimeout } = this.#setup;
    process.on('SIGHUP', () => {});
    process.on('exit', () => clearFolder(folder));
    // Node.js prints it past us, into the log; who is attached wants to know what the site died of.
    process.on('uncaughtExceptionMonitor', (cause) => this.#tell(2, `${inspect(cause)}\n`));
    captureOutput(
      {
        output: (descriptor, text) => {
          this.#log.write(text);
          this.#tell(descriptor, text);
        },
      },
      () => 0,
    );
    setInterval(() => this.#log.turn(), TURN_EVERY).unref();
    setTimeout(() => this.#wanted || process.exit(EXIT_ORPHANED), FIRST_WITHIN).unref();
    await this.#door.listen();
    publishLease((ms) => void Atomics.store(this.#words, 1, ms));
    await startPulse(join(folder, IN_FOLDER.pulse), this.#words, idleTimeout, {
      over: () => void this.#close(),
    });
    const pass = newPass();
    this.#keys.issue('later', {}, pass);
    writePass(folder, pass);
    const { pid, versions } = process;
    writeState(folder, {
      kind: 'site',
      pid,
      name,
      since: Date.now(),
      node: versions.node,
      protocol: PROTOCOL,
    });
    // What others have left is nobody's else.
    void sweep();
  }

  #tell(descriptor: number, text: string): void {
    for (const { session, link } of this.#clients as Iterable<Attached>) {
      if (link.waiting < MOST_WAITING) session.output(descriptor, text);
    }
  }

  #welcome(socket: Socket, guest: Guest): void {
    const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
    const link = new StreamLink(socket, socket, fd !== undefined && fd >= 0 ? fd : undefined);
    const session = new Session(
      'the client',
      this.#mainFor(() => client),
      {
        hello: (greeting) => this.#onGreeting(client, guest, managerGreeting(greeting)),
        close: () => void this.#close(),
        disconnected: () => {
          this.#clients.remove(client);
          link.destroy();
          // What it held is given back, what it lent is gone, and calls of it that run go on without it.
          session.end(() => new SiteClosedError('The client has gone.', true));
          // Whoever wanted this site has gone before he had it.
          if (guest === 'first' && !client.greeted) process.exit(EXIT_ORPHANED);
        },
      },
      { activity: this.#words },
    );
    const client: Attached = { session, link, sameDisk: false, greeted: false };
    this.#clients.add(client);
    session.attach(link);
  }

  #onGreeting(client: Attached, guest: Guest, manager: ManagerGreeting): void {
    const { session } = client;
    const refused: Refusal | undefined = guest === 'first' ? becomeSite(manager) : refusalOf(manager);
    if (refused?.step !== 'version') {
      if (manager.limits) session.limit(manager.limits);
      if (guest === 'first') this.#local = manager.local && manager.pid === this.#setup.starter;
      client.sameDisk = this.#local && manager.local;
    }
    session.greet(ownGreeting(refused));
    client.greeted = !refused;
    if (!refused) {
      this.#wanted = true;
      return;
    }
    session.end(() => new SiteClosedError('This site refused its client.', false));
    if (guest === 'first') void this.#leave(EXIT_REFUSED);
    else void client.link.flushed().then(() => client.link.destroy());
  }

  /** What one client can ask of the site: the service that all share, on its behalf. */
  #mainFor(client: () => Client): object {
    const service = this.#service;
    const as =
      <A extends unknown[], R>(method: (...args: A) => R) =>
      (...args: A): R =>
        this.#clients.as(client(), () => method.apply(service, args));
    return {
      link: as(service.link),
      apply: as(service.apply),
      enter: as(service.enter),
      forget: as(service.forget),
      names: as(service.names),
      tree: as(service.tree),
      watch: as(service.watch),
      ticket: (terms: TicketTerms) => ({
        folder: this.#setup.folder,
        ...this.#keys.issue('later', terms),
      }),
    };
  }

  async #close(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    await closeChildren();
    await this.#leave(0);
  }

  async #leave(code: number): Promise<void> {
    this.#leaving = true;
    setTimeout(() => process.exit(code), FLUSH_WITHIN);
    await Promise.all([...(this.#clients as Iterable<Attached>)].map(({ link }) => link.flushed()));
    process.exit(code);
  }
}

import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Started } from '../engine/detached/order.ts';
import { goneWithin, signalSite } from '../ticket/clerk.ts';
import { knock } from '../ticket/door.ts';
import { refusedTicket } from '../ticket/errors.ts';
import { IN_FOLDER } from '../ticket/folder.ts';
import { holdPulse } from '../ticket/hold-pulse.ts';
import { newPass } from '../ticket/keys.ts';
import { readState, type SiteState } from '../ticket/site-folder.ts';
import type { Ticket } from '../ticket/ticket.ts';
import { StreamLink } from '../wire/link/stream-link.ts';
import { runErrand } from './errand.ts';
import type { Fork, ForkedSite, ForkMethod, ForkRequest, SiteDeath } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';
import { sh } from './sh.ts';

/** How long the way to another host may take to deliver a signal, in milliseconds. */
const DELIVER_WITHIN = 5_000;
/** How long the socket of a site that has ended may still carry what it said, in milliseconds. */
const DRAIN_WITHIN = 200;
/** How long a process may take to vanish when its socket has closed, in milliseconds; else it lives on without us. */
const VANISH_WITHIN = 500;

/** Whether a ticket leads to this host, and so needs nobody to lead there. */
export const leadsHere = (host: string, fork: ForkMethod): boolean => {
  const { host: name, user, port } = parseHost(host);
  // As with the choice of a fork method: who names a user or a port means a login.
  const here = isThisHost(name) && user === undefined && port === undefined;
  return here && (fork === 'automatic' || fork === 'sh');
};

/** The sockets of a client on the site's own host. */
interface Inside {
  readonly socket: Socket;
  readonly pulse: Socket;
  heardAt: number;
}

const comeIn = async (
  { folder, id, key, name }: Pick<Ticket, 'folder' | 'id' | 'key' | 'name'>,
  { timeout, signal }: Pick<ForkRequest, 'timeout' | 'signal'>,
): Promise<Inside> => {
  let inside: Inside | undefined;
  const pulse = await holdPulse(folder, name, timeout, () => {
    if (inside) inside.heardAt = performance.now();
  });
  // An idle site must not keep its client's program from ending; the link does while somebody waits.
  pulse.unref();
  try {
    const door = join(folder, IN_FOLDER.door);
    const socket = await knock({ folder, id, key, name }, door, { timeout, signal });
    inside = { socket, pulse, heardAt: performance.now() };
    return inside;
  } catch (cause) {
    pulse.destroy();
    throw cause;
  }
};

/** What the site said last is still in its socket when its process has ended, of which another one tells. */
const drained = ({ socket }: Inside): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve();
    const late = setTimeout(resolve, DRAIN_WITHIN);
    socket.once('close', () => {
      clearTimeout(late);
      resolve();
    });
  });

const linkTo = ({ socket }: Inside): StreamLink => {
  const link = new StreamLink(socket, socket);
  link.unref();
  return link;
};

/** Starts a site that outlives this process, by any fork method that starts processes, and is its first client. */
export const detached =
  (fork: Fork, idleTimeout?: number): Fork =>
  async (request) => {
    const { name, execArgv } = request;
    const pass = newPass();
    // On this host the bridge only watches the site's process, and nothing passes through it.
    const direct = fork === sh && !process.env.OFFSITE_ENGINE;
    const { done, way } = await runErrand<Started>(fork, request, {
      op: 'start',
      name,
      execArgv,
      pass,
      direct,
      ...(idleTimeout !== undefined && { idleTimeout }),
    });
    if (!direct) return { ...way, ...elsewhere(fork, request, done) };
    const { folder, pid } = done;
    // Read to its end, which tells that the site has ended.
    way.errand!.input.resume();
    try {
      const inside = await comeIn({ folder, name, ...pass }, request);
      const link = linkTo(inside);
      const leave = async () => {
        link.destroy();
        inside.pulse.destroy();
        await way.leave!();
      };
      return {
        method: way.method,
        here: true,
        link,
        pid: way.pid,
        heardAt: () => Math.max(inside.heardAt, link.heardAt),
        exited: way.exited.then(async (death) => {
          await drained(inside);
          return death;
        }),
        kill: (signal) => signalSite({ folder, pid }, signal),
        leave,
        abandon: leave,
        sweep: async () => {},
      };
    } catch (cause) {
      await signalSite({ folder, pid }, 'SIGKILL');
      await way.leave!();
      throw cause;
    }
  };

/** How to end a site that a bridge leads to: another bridge does it, because this one may be cut off. */
const elsewhere = (
  fork: Fork,
  request: ForkRequest,
  { folder, pid }: { folder: string; pid: number },
): Pick<ForkedSite, 'kill' | 'sweep'> => ({
  kill: async (signal) => {
    const bounded = {
      ...request,
      timeout: DELIVER_WITHIN,
      signal: AbortSignal.timeout(DELIVER_WITHIN),
      onLine: () => {},
    };
    await runErrand(fork, bounded, { op: 'signal', folder, pid, signal }).then(
      ({ way }) => way.leave!(),
      () => {},
    );
  },
  sweep: async () => {},
});

/** Goes to the detached site that a ticket leads to; `fork` leads to its host. */
export const attached =
  (ticket: Ticket, fork: Fork, here: boolean): Fork =>
  async (request) => {
    const { folder, id, key, name } = ticket;
    if (!here) {
      const { done, way } = await runErrand<SiteState | undefined>(fork, request, {
        op: 'attach',
        folder,
        pass: { id, key },
        name,
        site: true,
        timeout: request.timeout,
      });
      if (!done) throw refusedTicket('gone', name);
      return { ...way, ...elsewhere(fork, request, { folder, pid: done.pid }) };
    }
    const inside = await comeIn(ticket, request);
    const { pid } = readState(folder) ?? {};
    const link = linkTo(inside);
    const exited = new Promise<SiteDeath>((resolve) => {
      inside.socket.once('close', () => {
        inside.pulse.destroy();
        // Nobody tells who is not its parent how a process has ended.
        const tell = () => resolve({ exitCode: null, signal: null, stderr: [] });
        void (pid === undefined ? tell() : goneWithin(pid, VANISH_WITHIN).then(tell));
      });
    });
    return {
      method: 'sh',
      here: true,
      link,
      pid: process.pid,
      heardAt: () => Math.max(inside.heardAt, link.heardAt),
      exited,
      kill: async (signal) => {
        if (pid !== undefined) await signalSite({ folder, pid }, signal);
        if (signal === 'SIGKILL') link.destroy();
      },
      leave: async () => link.destroy(),
      abandon: async () => link.destroy(),
      sweep: async () => {},
    };
  };

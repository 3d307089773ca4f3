import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { closeSite, readLog, signalSite, siteNamed, ticketTo, type Unnamed } from '../../ticket/clerk.ts';
import { knock } from '../../ticket/door.ts';
import { IN_FOLDER } from '../../ticket/folder.ts';
import { holdPulse } from '../../ticket/hold-pulse.ts';
import type { Pass } from '../../ticket/keys.ts';
import { detachedSites, readState, sweep } from '../../ticket/site-folder.ts';
import { launch } from './launch.ts';
import type { Order, Reply, Started } from './order.ts';

/** An order is short; what is longer is none. */
const LONGEST_ORDER = 64 * 1024;
/** How long a site that is on this host may take to let its starter in, in milliseconds: it has just said that it can. */
const FIRST_WITHIN = 10_000;
/** How long a process may take to end when its socket is closed, in milliseconds; then it lives on. */
const DRAIN_WITHIN = 500;

/** Reads the first line; what is behind it is put back. Rejects if the input ends before, or it is too long. */
const orderOf = (input: Readable): Promise<Order> =>
  new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const end = () => reject(new Error('The input ended before there was an order.'));
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const feed = seen.indexOf(0x0a);
      if (feed < 0 && seen.length <= LONGEST_ORDER) return;
      input.pause();
      input.off('data', onData).off('end', end);
      if (feed < 0) return reject(new Error('The order is too long.'));
      if (feed + 1 < seen.length) input.unshift(seen.subarray(feed + 1));
      resolve(JSON.parse(seen.toString('utf8', 0, feed)) as Order);
    };
    input.on('data', onData).on('end', end).resume();
  });

const written = (output: Writable, bytes: Uint8Array | string): Promise<void> =>
  new Promise((resolve) => {
    output.write(bytes, () => resolve());
  });

const reply = (output: Writable, said: Reply): Promise<void> => written(output, `${JSON.stringify(said)}\n`);

/** Passes bytes between the manager and a socket until either ends; the other side then learns of it. */
const passOn = (input: Readable, output: Writable, socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    // What the site said last still leaves.
    socket.on('error', () => {}).on('close', () => output.end(() => resolve()));
    output.on('error', () => socket.destroy());
    input.on('error', () => socket.destroy());
    input.pipe(socket);
    socket.pipe(output);
  });

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Ends as the site did, so that who started this learns it. */
const endLike = ({ code, signal }: Exit): void => {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 0);
};

const attachTo = async (
  folder: string,
  pass: Pass,
  { name, site, timeout }: { name: string; site: boolean; timeout: number },
): Promise<Socket> => {
  // The manager reads beats where it reads those of a site that is its child.
  if (site) await holdPulse(folder, name, timeout, (beat) => process.stderr.write(beat));
  return knock({ folder, name, ...pass }, join(folder, IN_FOLDER.door), { timeout });
};

const isUnnamed = (found: object): found is Unnamed => 'unnamed' in found;

const failedOf = ({ unnamed, remedy }: Unnamed): Reply => ({ failed: { message: unnamed, remedy } });

/** Carries out one order and ends this process. */
export const runBridge = async (input: Readable, output: Writable, engine: Uint8Array): Promise<void> => {
  process.title = 'offsite: bridge';
  // Who gave the order has gone, and with him the reason to be here.
  const orphaned = () => process.exit(0);
  input.on('error', orphaned);
  output.on('error', orphaned);
  try {
    const order = await orderOf(input);
    switch (order.op) {
      case 'start': {
        const { name, pass, direct, idleTimeout, execArgv } = order;
        const setup = {
          name,
          pass,
          starter: process.ppid,
          ...(idleTimeout !== undefined && { idleTimeout }),
        };
        const { child, folder } = await launch(setup, execArgv, engine);
        const exit = new Promise<Exit>((resolve) => {
          child.once('exit', (code, signal) => resolve({ code, signal }));
        });
        const started: Started = { pid: child.pid, folder };
        if (direct) {
          await reply(output, { done: started });
          input.on('end', orphaned).resume();
          endLike(await exit);
        }
        const socket = await attachTo(folder, pass, { name, site: true, timeout: FIRST_WITHIN }).catch(
          (cause: unknown) => {
            child.kill('SIGKILL');
            throw cause;
          },
        );
        await reply(output, { done: started });
        await passOn(input, output, socket);
        // Either the site has ended, or it and its manager have let go of each other.
        const late = delay(DRAIN_WITHIN, { code: 0, signal: null });
        return endLike(await Promise.race([exit, late]));
      }
      case 'attach': {
        const { folder, pass } = order;
        const socket = await attachTo(folder, pass, order);
        await reply(output, { done: readState(folder) });
        await passOn(input, output, socket);
        break;
      }
      case 'signal':
        await signalSite(order, order.signal);
        await reply(output, { done: {} });
        break;
      case 'sites':
        await sweep();
        await reply(output, { done: await detachedSites() });
        break;
      case 'close': {
        const found = await siteNamed(order.which);
        await reply(
          output,
          isUnnamed(found) ? failedOf(found) : { done: { ...found, how: await closeSite(found) } },
        );
        break;
      }
      case 'ticket': {
        const found = await ticketTo(order.which);
        await reply(output, isUnnamed(found) ? failedOf(found) : { done: found });
        break;
      }
      case 'log': {
        const found = await siteNamed(order.which, true);
        if (isUnnamed(found)) {
          await reply(output, failedOf(found));
          break;
        }
        await reply(output, { done: found });
        input.on('end', orphaned).resume();
        const { lines, follow } = order;
        const wish = { ...(lines !== undefined && { lines }), ...(follow !== undefined && { follow }) };
        for await (const chunk of readLog(found.folder, wish)) await written(output, chunk);
        break;
      }
    }
  } catch (cause) {
    const { message, code, reason } = cause as Error & { code?: string; reason?: Reply['refused'] };
    await reply(
      output,
      code === 'ERR_OFFSITE_TICKET' && reason !== undefined
        ? { refused: reason }
        : { failed: { message, ...(typeof code === 'string' && { code }) } },
    );
  }
  process.exit(0);
};

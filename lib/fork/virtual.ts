import { inspect } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { VirtualSiteData } from '../engine/protocol.ts';
import { OptionError } from '../wire/errors.ts';
import { ringMemory } from '../wire/link/ring.ts';
import { RingLink } from '../wire/link/ring-link.ts';
import { engineFile } from './engine-file.ts';
import type { Fork, SiteDeath } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';

/** Whether this process can have virtual sites: shared memory, and a way to wait for it without blocking. */
export const virtualSites =
  typeof SharedArrayBuffer === 'function' && typeof Atomics.waitAsync === 'function';

/** A worker thread of this process, linked by two rings in shared memory. */
export const virtual: Fork = async (request) => {
  if (!isThisHost(parseHost(request.host).host)) {
    throw new OptionError(
      'fork',
      `A virtual site is a thread of this process; ${request.host} is another host.`,
    );
  }
  if (request.detach) {
    throw new OptionError(
      'detach',
      'A virtual site is a thread of this process and can not outlive it; use "sh".',
    );
  }
  if (request.cwd !== undefined && request.cwd !== process.cwd()) {
    throw new OptionError(
      'cwd',
      `A virtual site shares its process's folder and can not work in ${request.cwd}; use "sh".`,
    );
  }
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const data: VirtualSiteData = { offsite: { input: down, output: up, port: port2 } };
  const { path, bytes } = engineFile();
  const worker = new Worker(path ?? bytes.toString('utf8'), {
    eval: path === undefined,
    name: request.name,
    workerData: data,
    transferList: [port2],
    execArgv: [...request.execArgv],
    resourceLimits: request.resourceLimits,
    // Nothing comes this way, because the engine sends what is printed as frames; and reading from these streams
    // would keep the program alive.
    stdout: true,
    stderr: true,
  });
  const link = new RingLink({ input: up, output: down, port: port1 });
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
    // What Node prints when a process dies of an uncaught error, it does not print for a thread.
    for (const line of inspect(error).split('\n')) request.onLine(line);
  });
  const exited = new Promise<SiteDeath>((resolve) => {
    worker.once('exit', (exitCode) => {
      // What it said last lies there still; the port, once closed, would let go of its part.
      link.receiveSync(0);
      port1.close();
      resolve({ exitCode, signal: null, stderr: [], ...(cause !== undefined && { cause }) });
    });
  });
  // An idle site must not keep its parent's program from ending; the link holds it while somebody waits.
  worker.unref();
  const kill = async () => {
    await worker.terminate();
  };
  return {
    method: 'virtual',
    link,
    pid: process.pid,
    exited,
    sweep: async () => {},
    kill,
    abandon: kill,
  };
};

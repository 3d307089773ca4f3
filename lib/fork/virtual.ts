import { MessageChannel, Worker } from 'node:worker_threads';
import type { VirtualSiteData } from '../engine/protocol.ts';
import { OptionError } from '../wire/errors.ts';
import { ringMemory } from '../wire/ring.ts';
import { RingLink } from '../wire/ring-link.ts';
import { engineFile } from './engine-file.ts';
import type { Fork, SiteDeath } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';
import { LineReader } from './lines.ts';

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
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const data: VirtualSiteData = { offsite: { input: down, output: up, port: port2 } };
  const worker = new Worker(engineFile().path, {
    name: request.name,
    workerData: data,
    transferList: [port2],
    execArgv: [...request.execArgv],
    resourceLimits: request.resourceLimits,
    stdout: true,
    stderr: true,
  });
  const lines = new LineReader(worker.stderr, request.onLine);
  new LineReader(worker.stdout, request.onLine);
  let cause: unknown;
  worker.on('error', (error) => {
    cause = error;
  });
  const exited = new Promise<SiteDeath>((resolve) => {
    worker.once('exit', (exitCode) => {
      port1.close();
      resolve({ exitCode, signal: null, stderr: [...lines.tail], ...(cause !== undefined && { cause }) });
    });
  });
  // An idle site must not keep its parent's program from ending; the link holds it while somebody waits.
  worker.unref();
  return {
    method: 'virtual',
    link: new RingLink({ input: up, output: down, port: port1 }),
    pid: process.pid,
    // A thread lives as long as its process: it may be busy, but never out of reach.
    heardAt: () => performance.now(),
    exited,
    kill: () => void worker.terminate(),
  };
};

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Trial } from './node.ts';

/** The addresses of a host, as far as they can be had. */
export interface LookedUp {
  readonly addresses: readonly string[];
  /** What was tried, if that gave none. */
  readonly trial?: Trial;
}

/** Looks a host's name up as this host does, `/etc/hosts` included. Never rejects; given up, it has no addresses. */
export const lookUp = async (where: string, host: string, signal: AbortSignal): Promise<LookedUp> => {
  if (isIP(host)) return { addresses: [host] };
  const start = performance.now();
  let giveUp = () => {};
  // The operating system's answer can't be called off, so that it may come later than anybody waits for it.
  const given = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error('it was given up'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), given]);
    return { addresses: found.map(({ address }) => address) };
  } catch (cause) {
    const took = performance.now() - start;
    const error = cause as Error;
    return { addresses: [], trial: { where, what: 'lookup', address: host, took, outcome: 'failed', error } };
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
};

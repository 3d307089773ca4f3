import { afterAll, afterEach } from 'vitest';
import { functionsOf, Network, type NetworkHost, type NetworkOptions } from '../../../lib/index.ts';

/** The functions of `tasks.ts`, by name. */
export const tasks = functionsOf<typeof import('./tasks.ts')>(new URL('./tasks.ts', import.meta.url));

/** Networks of a spec's own, closed after it, and one that those share which do it no harm. */
export function networks(hosts: readonly NetworkHost[], options: NetworkOptions = {}) {
  const own: Network[] = [];
  let common: Promise<Network> | undefined;
  afterEach(async () => {
    await Promise.all(own.splice(0).map((network) => network.close()));
  });
  afterAll(async () => {
    await (await common)?.close();
  });
  return {
    shared: () => (common ??= Network.connect(hosts, options)),
    fresh: async (of: readonly NetworkHost[] = hosts, more: NetworkOptions = {}) => {
      const network = await Network.connect(of, { ...options, ...more });
      own.push(network);
      return network;
    },
  };
}

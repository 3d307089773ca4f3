import { afterAll } from 'vitest';
import { functionsOf, Network } from '../../lib/index.ts';

/** What the sentences call. */
export const { times, plus, root, pair, timesAll } = functionsOf<typeof import('../actors/network/tasks.ts')>(
  new URL('../actors/network/tasks.ts', import.meta.url),
);

/** Kept from call to call, as Octave keeps its processes. */
let processes: Promise<Network> | undefined;

afterAll(async () => {
  await (await processes)?.close();
});

/** Octave's `parcellfun (nproc, fun, A1, …)`: a map over arrays with so many processes of this host, up to 4. */
export const parcellfun = async (
  nproc: number,
  fn: unknown,
  arrays: readonly ArrayLike<unknown>[],
  options: object = {},
): Promise<unknown> => {
  processes ??= Network.connect(['4*localhost'], { site: { fork: 'sh' } });
  const network = await processes;
  const nodes = network.nodes.slice(1, 1 + nproc);
  return network.cellfun(fn as typeof times, arrays as [number[], number[]], { ...options, nodes });
};

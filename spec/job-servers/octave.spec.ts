import { describe, expect, test } from 'vitest';
import { Network } from '../../lib/index.ts';
import { tasks } from '../actors/network/networks.ts';
import { pair, parcellfun, plus, root, times, timesAll } from './parcellfun.ts';

const X = [1, 2, 3, 4];
const Y = [2, 3, 4, 5];
const PRODUCTS = [2, 6, 12, 20];

describe('the local forms', () => {
  test.each([2, 3, 4])(
    'C1. x*y over {1,2,3,4} and {2,3,4,5} is [2 6 12 20] with %i processes',
    async (nproc) => {
      expect(await parcellfun(nproc, times, [X, Y])).toEqual(PRODUCTS);
    },
  );

  test('C2. without uniform output the results are of any kind, in their places', async () => {
    const options = { uniformOutput: false };
    expect(await parcellfun(2, pair, [X], options)).toEqual(X.map((x) => [x, x]));
    expect(await parcellfun(2, times, [X, Y], options)).toEqual(PRODUCTS);
  });

  test('C3. with two chunks for each process the results are the same', async () => {
    expect(await parcellfun(2, times, [X, Y], { chunksPerProc: 2 })).toEqual(PRODUCTS);
  });

  test('C4. with a fold the result is 40', async () => {
    expect(await parcellfun(2, times, [X, Y], { fold: plus })).toBe(40);
    expect(await parcellfun(2, times, [X, Y], { fold: (a: number, b: number) => a + b })).toBe(40);
  });

  test('C5. with a fold and two chunks for each process it is 40 too', async () => {
    expect(await parcellfun(2, times, [X, Y], { fold: plus, chunksPerProc: 2 })).toBe(40);
  });

  test('C6. one bad argument goes to the error handler, and the others succeed', async () => {
    const failures: unknown[] = [];
    const errorHandler = (failure: object, ...args: unknown[]) => {
      failures.push({ ...failure, args });
      return -1;
    };
    const results = await parcellfun(2, root, [[1, 4, -9, 16], Y], { errorHandler });
    expect(results).toEqual([1, 2, -1, 4]);
    expect(failures).toEqual([
      {
        message: 'no root of -9',
        identifier: 'E_NEGATIVE',
        code: 'E_NEGATIVE',
        index: 2,
        error: expect.any(RangeError),
        args: [-9, 4],
      },
    ]);
  });

  test('C7. typed arrays go the same ways, whole parts of them to a vectorized function', async () => {
    const [x, y] = [Float64Array.from(X), Float64Array.from(Y)];
    expect(await parcellfun(2, times, [x, y])).toEqual(PRODUCTS);
    expect(await parcellfun(2, times, [x, y], { uniformOutput: false })).toEqual(PRODUCTS);
    expect(await parcellfun(2, timesAll, [x, y], { vectorized: true, chunksPerProc: 2 })).toEqual(PRODUCTS);
    expect(await parcellfun(2, times, [x, y], { fold: plus, chunksPerProc: 2 })).toBe(40);
    const errorHandler = () => 0;
    expect(await parcellfun(2, root, [Float64Array.of(4, -1)], { errorHandler })).toEqual([2, 0]);
  });
});

describe('the network', () => {
  test('C8. a cluster of "localhost" gives C1', async () => {
    await using network = await Network.connect(['localhost']);
    expect(await network.cellfun(times, [X, Y])).toEqual(PRODUCTS);
    expect(await network.cellfun(times, [X, Y], { chunkSize: 2 })).toEqual(PRODUCTS);
  });

  test("C9. 'some data' sent from the client to one node, by that to another, and by that back, is unchanged", async () => {
    await using network = await Network.connect(['localhost', 'localhost'], { site: { fork: 'sh' } });
    const [, first, second] = network.nodes;
    network.evaluate(tasks.passOn, first!, 1, second!.id);
    network.evaluate(tasks.passOn, second!, first!.id, 1);
    await first!.send('some data');
    expect(await second!.receive()).toBe('some data');
    // It went from node to node, and not through the client.
    expect([...(await network.cluster.connections()).values()].reduce((sum, made) => sum + made, 0)).toBe(1);
  });
});

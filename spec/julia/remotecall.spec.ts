import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { LineBox } from '../support/sites.ts';
import { julia, overSites } from './over-sites.ts';

overSites('the remotecall family', (bench) => {
  bench.test('41. What remoteDo calls and throws is printed, and does the worker no harm', async () => {
    const lines = new LineBox();
    const cluster = await bench.fresh(1, {
      output: (line, { id, stream }) => {
        lines.sink(`${id} ${stream} ${line}`);
        return undefined;
      },
    });
    cluster.remoteDo(julia.failDeeply, 2, 'nobody waits for this');
    expect(await lines.line('nobody waits for this')).toContain('2 stderr');
    expect(await lines.line('at failDeeply')).toContain('julia.ts');
    expect(await cluster.remotecallFetch(julia.myid, 2)).toBe(2);
  });

  bench.chosen('43. A class can be called: it makes an instance, which stays where it was made', async () => {
    const cluster = await bench.shared();
    const counter = await cluster.remotecallFetch(julia.Counter, 2, 5);
    expect(await counter.add(1)).toBe(6);
    expect(await counter.add(1)).toBe(7);
  });

  bench.chosen('44. A remote call may itself call a third process, and back to the caller', async () => {
    const cluster = await bench.shared();
    expect(await cluster.remotecallFetch(julia.along, 2, julia.along, [3, 1, 2, 4, 1])).toEqual([
      2, 3, 1, 2, 4, 1,
    ]);
  });

  bench.test(
    '46. A function that was sent to one worker can be sent on to another, and runs there',
    async () => {
      const cluster = await bench.shared();
      expect(await cluster.remotecallFetch(julia.callFrom, 2, julia.callFrom, 3, julia.myid, 4)).toBe(4);
    },
  );

  bench.test('47. The first call of all between two workers carries an array', async () => {
    const cluster = await bench.fresh(2);
    const values = Array.from({ length: 1000 }, (_, n) => n);
    expect(await cluster.remotecallFetch(julia.callFrom, 2, julia.count, 3, values)).toBe(1000);
  });

  bench.chosen('49. A million numbers come back as they went', async () => {
    const cluster = await bench.shared();
    const numbers = Float64Array.from({ length: 1e6 }, (_, n) => n / 7);
    const back = (await cluster.remotecallFetch(julia.same, 2, numbers)) as Float64Array;
    expect(back).toBeInstanceOf(Float64Array);
    expect(Buffer.from(back.buffer).equals(Buffer.from(numbers.buffer))).toBe(true);
  });

  bench.test('50. A hundred thousand strings come back as they went', async () => {
    const cluster = await bench.shared();
    const strings = Array.from(
      { length: 1e5 },
      (_, n) => `${n} ${randomBytes(1 + (n % 13)).toString('latin1')}`,
    );
    const back = (await cluster.remotecallFetch(julia.same, 3, strings)) as string[];
    expect(back.length).toBe(1e5);
    expect(back.join('\n') === strings.join('\n')).toBe(true);
  });

  bench.chosen('52. spawnAt any goes to each worker once in as many calls as there are workers', async () => {
    const cluster = await bench.shared();
    const round = async () => {
      const ids = cluster.workers.map(() => cluster.spawnAt('any', julia.myid).fetch());
      return (await Promise.all(ids)).sort();
    };
    expect(await round()).toEqual([2, 3, 4]);
    expect(await round()).toEqual([2, 3, 4]);
  });

  bench.test('53. spawnAt and remotecallFetch run where they are told', async () => {
    const cluster = await bench.shared();
    for (const id of cluster.procs) {
      expect(await cluster.spawnAt(id, julia.myid).fetch()).toBe(id);
      expect(await cluster.remotecallFetch(julia.myid, id)).toBe(id);
    }
  });

  bench.test('in its own process nothing is copied, as in Julia', async () => {
    const cluster = await bench.shared();
    const value = { rows: [1, 2] };
    expect(await cluster.remotecallFetch(julia.same, 1, value)).toBe(value);
  });
});

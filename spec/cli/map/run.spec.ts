import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { fromArguments, fromLines, type InputSource } from '../../../lib/cli/map/inputs.ts';
import { type MapJob, MapRun, type MapSite } from '../../../lib/cli/map/run.ts';
import { LineSink } from '../../../lib/cli/map/sink.ts';
import { SiteClosedError, SiteCrashedError } from '../../../lib/wire/errors.ts';

const crash = (mayHaveRun: boolean) =>
  new SiteCrashedError('The site died.', { exitCode: null, signal: 'SIGKILL', stderr: [] }, mayHaveRun);

type Call = (input: string, site: { die(): void; number: number }) => Promise<unknown>;

/** A run over sites that are not real: what is printed, how many sites are open, and the log. */
const runWith = (call: Call, options: Partial<MapJob> & { inputs: InputSource; sites?: number }) => {
  const { sites = 2, ...job } = options;
  const state = { open: 0, most: 0, started: 0, log: [] as string[], lines: [] as string[] };
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      state.lines.push(...String(chunk).trimEnd().split('\n'));
      done();
    },
  });
  const start = async (): Promise<MapSite> => {
    let dead = false;
    let end = (_error: Error) => {};
    const closed = new Promise<never>((_resolve, reject) => {
      end = reject;
    });
    closed.catch(() => {});
    const die = () => {
      dead = true;
    };
    state.started += 1;
    const number = state.started;
    state.open += 1;
    state.most = Math.max(state.most, state.open);
    return {
      label: `site ${number}`,
      dead: () => dead,
      call: (input) => Promise.race([call(input, { number, die }), closed]),
      close: async () => {
        die();
        end(new SiteClosedError('The site was closed.', true));
        state.open -= 1;
      },
    };
  };
  const run = new MapRun({
    hosts: Array.from({ length: sites }, () => 'localhost'),
    start,
    sink: new LineSink(
      stream,
      () => {},
      () => {},
    ),
    log: (line) => state.log.push(line),
    retry: 0,
    timeout: undefined,
    ordered: true,
    ...job,
  });
  return { run, state, results: () => state.lines.map((line) => JSON.parse(line) as unknown) };
};

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('MapRun', () => {
  it('prints results in the order of the inputs, though the first is the last to come', async () => {
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { run, results } = runWith(
      async (input) => {
        if (input === '0') await first;
        if (input === '19') release();
        return Number(input);
      },
      { inputs: fromArguments(numbers(20)) },
    );
    await run.run();
    expect(results()).toEqual(numbers(20).map(Number));
  });

  it('prints results as they come if told so', async () => {
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { run, results } = runWith(
      async (input) => {
        if (input === '0') await first;
        if (input === '3') release();
        return Number(input);
      },
      { inputs: fromArguments(numbers(4)), ordered: false },
    );
    await run.run();
    expect(results()[0]).toBe(1);
    expect(results().toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('reads ahead of the slowest input no further than its window', async () => {
    let release = () => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const called: string[] = [];
    const { run, results } = runWith(
      async (input) => {
        called.push(input);
        if (input === '0') await first;
        return input;
      },
      { inputs: fromLines(Readable.from([Buffer.from(`${numbers(1000).join('\n')}\n`)])), sites: 2 },
    );
    const done = run.run();
    while (called.length < 128) await turn();
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(called.length).toBe(128);
    expect(results()).toEqual([]);
    release();
    await done;
    expect(results()).toEqual(numbers(1000));
  });

  it('takes no further input while nobody reads its results', async () => {
    const pending: (() => void)[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => {
        pending.push(done);
      },
    });
    let called = 0;
    const { run } = runWith(async () => ++called, {
      inputs: fromArguments(numbers(100)),
      sites: 2,
      sink: new LineSink(
        slow,
        () => {},
        () => {},
      ),
    });
    const done = run.run();
    while (pending.length === 0) await turn();
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(called).toBeLessThanOrEqual(4);
    const pump = setInterval(() => pending.shift()?.(), 0);
    await done;
    clearInterval(pump);
    expect(called).toBe(100);
  });

  it('starts no more sites than there are inputs, and closes each', async () => {
    const { run, state } = runWith(async (input) => input, { inputs: fromArguments(['a', 'b']), sites: 8 });
    await run.run();
    expect(state.most).toBeLessThanOrEqual(2);
    expect(state.open).toBe(0);
  });

  it('goes on after an input that fails, and counts it', async () => {
    const { run, state, results } = runWith(
      async (input) => {
        if (input === '1') throw new RangeError('not that one');
        return input;
      },
      { inputs: fromArguments(numbers(3)) },
    );
    expect(await run.run()).toMatchObject({ done: 3, failed: 1, retried: 0 });
    expect(results()).toEqual([
      '0',
      { error: { name: 'RangeError', message: 'not that one' }, input: '1' },
      '2',
    ]);
    expect(state.started).toBeLessThanOrEqual(2);
  });

  it('replaces a site that died and repeats nothing unless told so', async () => {
    const calls: string[] = [];
    const { run, state, results } = runWith(
      async (input, site) => {
        calls.push(input);
        if (input !== '1') return input;
        site.die();
        throw crash(true);
      },
      { inputs: fromArguments(numbers(4)), sites: 1 },
    );
    expect(await run.run()).toMatchObject({ done: 4, failed: 1, retried: 0, sites: 2 });
    expect(calls).toEqual(['0', '1', '2', '3']);
    expect(results()[1]).toMatchObject({
      error: { code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true },
      input: '1',
    });
    expect(state.log.join()).toContain('site 1');
    expect(state.open).toBe(0);
  });

  it('repeats an input as often as --retry says, and no more', async () => {
    let attempts = 0;
    const die: Call = async (_input, site) => {
      attempts += 1;
      site.die();
      throw crash(true);
    };
    const twice = runWith(die, { inputs: fromArguments(['x']), retry: 2 });
    expect(await twice.run.run()).toMatchObject({ done: 1, failed: 1, retried: 2, sites: 3 });
    expect(attempts).toBe(3);

    const once = runWith(async (input, site) => (site.number === 1 ? die(input, site) : 'fine'), {
      inputs: fromArguments(['x']),
      retry: 1,
    });
    expect(await once.run.run()).toMatchObject({ done: 1, failed: 0, retried: 1 });
    expect(once.results()).toEqual(['fine']);
  });

  it('calls again without --retry where the call was never sent, but not for ever', async () => {
    const unsent: Call = async (_input, site) => {
      site.die();
      throw crash(false);
    };
    const once = runWith(async (input, site) => (site.number === 1 ? unsent(input, site) : 'fine'), {
      inputs: fromArguments(['x']),
    });
    await once.run.run();
    expect(once.results()).toEqual(['fine']);
    const always = runWith(unsent, { inputs: fromArguments(['x']) });
    expect(await always.run.run()).toMatchObject({ failed: 1, sites: 4 });
  });

  it('fails a call that takes too long, and goes on with another site', async () => {
    const { run, state, results } = runWith(
      (input) => (input === '0' ? new Promise(() => {}) : Promise.resolve(input)),
      { inputs: fromArguments(numbers(3)), sites: 1, timeout: 20, retry: 5 },
    );
    expect(await run.run()).toMatchObject({ done: 3, failed: 1, retried: 0, sites: 2 });
    expect(results()[0]).toMatchObject({
      error: { name: 'TimeoutError', code: 'ERR_OFFSITE_TIMEOUT' },
      input: '0',
    });
    expect(state.open).toBe(0);
  });

  it('ends at once with the error if the first site can not be started', async () => {
    let starts = 0;
    const { run } = runWith(async () => 1, {
      inputs: fromArguments(['x', 'y']),
      sites: 1,
      start: async () => {
        starts += 1;
        throw new Error('no such host');
      },
    });
    await expect(run.run()).rejects.toThrow('no such host');
    expect(starts).toBe(1);
  });

  it('ends with the error after three replacements that can not be started', async () => {
    let starts = 0;
    const { run, results } = runWith(async () => 1, {
      inputs: fromArguments(['x', 'y']),
      sites: 1,
      start: async () => {
        starts += 1;
        if (starts > 1) throw new Error('the host is gone');
        let dead = false;
        return {
          label: 'the only one',
          dead: () => dead,
          call: async () => {
            dead = true;
            throw crash(true);
          },
          close: async () => {},
        };
      },
    });
    await expect(run.run()).rejects.toThrow('the host is gone');
    expect(starts).toBe(4);
    expect(results()).toHaveLength(1);
  });

  it('stops in the middle: no further line, every site closed, a read that waits given up', async () => {
    const stream = new Readable({ read() {} });
    stream.push('a\nb\n');
    const { run, state } = runWith((input) => (input === 'a' ? Promise.resolve(1) : new Promise(() => {})), {
      inputs: fromLines(stream),
      sites: 3,
    });
    const done = run.run();
    while (state.lines.length === 0) await turn();
    run.stop();
    await done;
    expect(run.stopped).toBe(true);
    expect(state.lines).toEqual(['1']);
    expect(state.open).toBe(0);
  });

  it('fails the input whose result can not be printed', async () => {
    const { run, results } = runWith(async () => () => 1, { inputs: fromArguments(['x']) });
    await run.run();
    expect(results()[0]).toMatchObject({ error: { name: 'TypeError' }, input: 'x' });
  });

  it('ends with the error if inputs can not be read', async () => {
    const stream = new Readable({ read() {} });
    const { run } = runWith(async () => 1, { inputs: fromLines(stream) });
    const done = run.run();
    stream.destroy(new Error('the disk is gone'));
    await expect(done).rejects.toThrow('the disk is gone');
  });
});

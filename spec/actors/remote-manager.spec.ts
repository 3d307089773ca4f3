import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { functor, RemoteManager, type RemoteManagerOptions, type SiteExit } from '../../lib/index.ts';
import { waitUntilGone } from '../support/processes.ts';
import { type Calc, closeTracked, fixture, type Misbehave, rejection, track } from '../support/sites.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeTracked();
});

const start = (options: RemoteManagerOptions = {}) =>
  track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options }));

const exitOf = (site: RemoteManager) =>
  new Promise<SiteExit>((resolve) => {
    site.on('exit', resolve);
  });

const NO_COMMAND = 'there-is-no-such-command';

describe('a manager', () => {
  test('has an id of its own, and a name of its own unless it was given one', () => {
    const sites = [start(), start(), start({ name: 'bamse' })];
    expect(new Set(sites.map(({ id }) => id)).size).toBe(3);
    expect(new Set(sites.map(({ name }) => name)).size).toBe(3);
    expect(sites[0]!.name).toMatch(/^localhost\/\d+$/);
    expect(sites[2]!.name).toBe('bamse');
    expect(sites[0]!.host).toBe('localhost');
  });

  test('tells the pid and the fork method that was chosen once it is ready', async () => {
    const [thread, process_] = [start(), start({ detach: true })];
    expect([thread.pid, thread.fork, process_.fork]).toEqual([undefined, 'automatic', 'automatic']);
    await Promise.all([thread.ready, process_.ready]);
    expect([thread.fork, thread.pid]).toEqual(['virtual', process.pid]);
    expect(process_.fork).toBe('sh');
    expect(process_.pid).not.toBe(process.pid);
  });

  test('tells the words of the command that it was given', async () => {
    const site = start({ fork: [fileURLToPath(fixture('run-here')), '{host}'] });
    expect(site.fork).toBe(`${fileURLToPath(fixture('run-here'))} {host}`);
    await rejection(site.ready);
  });

  test('goes from starting to ready, closing and closed', async () => {
    const site = start();
    const seen: string[] = [site.state];
    site.actor.subscribe(() => void (seen.at(-1) === site.state || seen.push(site.state)));
    await site.ready;
    const closing = site.close();
    expect([site.state, site.health.state]).toEqual(['closing', 'busy']);
    await closing;
    expect(seen).toEqual(['starting', 'ready', 'closing', 'closed']);
    expect([site.state, site.health.state]).toEqual(['closed', 'closed']);
  });

  test('goes from starting to crashed when it can not be started', async () => {
    const site = start({ fork: NO_COMMAND, host: 'bamse' });
    expect(await rejection(site.ready)).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'command' });
    expect([site.state, site.health.state, site.pid]).toEqual(['crashed', 'crashed', undefined]);
    await site.close();
    expect(site.state).toBe('crashed');
  });

  test('goes from ready to crashed when its site dies', async () => {
    const site = start({ fork: 'sh' });
    await site.ready;
    const exit = exitOf(site);
    process.kill(site.pid!, 'SIGKILL');
    await exit;
    expect([site.state, site.health.state]).toEqual(['crashed', 'crashed']);
  });

  test('is idle, busy while calls wait, and idle again', async () => {
    const site = start();
    const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
    expect([site.health.state, site.inFlight]).toEqual(['idle', 0]);
    const waiting = rejection(misbehave.never());
    await site.ping();
    expect([site.health.state, site.inFlight]).toEqual(['busy', 1]);
    await site.close();
    await waiting;
  });
});

describe('the exit event', () => {
  test('tells of a site that was closed', async () => {
    const site = start({ fork: 'sh' });
    await site.ready;
    const exit = exitOf(site);
    await site.close();
    expect(await exit).toEqual({ code: 0, signal: null, reason: 'closed', stderr: [] });
  });

  test('tells of a site that died, how, and what it said last', async () => {
    const site = start({ fork: 'sh' });
    const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
    const exit = exitOf(site);
    await rejection(misbehave.complainAndExit('I have had enough.', 7));
    expect(await exit).toMatchObject({ code: 7, signal: null, reason: 'crashed' });
    expect((await exit).stderr).toContain('I have had enough.');
  });

  test('tells of a site that was killed, and by what', async () => {
    const site = start({ fork: 'sh' });
    await site.ready;
    const exit = exitOf(site);
    process.kill(site.pid!, 'SIGKILL');
    expect(await exit).toMatchObject({ code: null, signal: 'SIGKILL', reason: 'crashed' });
  });

  test('tells of a site that never ran', async () => {
    const site = start({ fork: 'virtual', host: 'bamse' });
    expect(await exitOf(site)).toEqual({ code: null, signal: null, reason: 'fork-failed', stderr: [] });
  });

  test('tells of a site that never became ready, and what its command said', async () => {
    const site = start({ fork: ['sh', '-c', 'echo "no such node" >&2; exit 4'], host: 'bamse' });
    expect(await exitOf(site)).toEqual({
      code: 4,
      signal: null,
      reason: 'fork-failed',
      stderr: ['no such node'],
    });
  });

  test('comes once, to all who listen, and not to who has stopped', async () => {
    const site = start();
    const heard: string[] = [];
    const gone = () => void heard.push('gone');
    expect(site.on('exit', gone)).toBe(site);
    site.on('exit', () => void heard.push('one')).on('exit', () => void heard.push('two'));
    expect(site.off('exit', gone)).toBe(site);
    await site.ready;
    await Promise.all([site.close(), site.close()]);
    await site.close();
    expect(heard).toEqual(['one', 'two']);
  });
});

describe('a start', () => {
  test('that takes too long is given up, with its time in the error, and leaves nothing', async () => {
    const heard: string[] = [];
    const site = start({
      fork: ['sh', '-c', 'echo $$ >&2; exec sleep 600'],
      host: 'bamse',
      timeout: 300,
      stderr: (line) => void heard.push(line),
    });
    const error = await rejection(site.ready);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'timeout' });
    expect(error.message).toMatch(/300 ms/);
    expect(error.stderr ?? []).toEqual([]);
    const [pid] = heard.map(Number);
    await waitUntilGone([pid!], 1_000);
  });

  test('that something else answers is given up, and shows what', async () => {
    const site = start({ fork: ['sh', '-c', 'echo "Welcome to bamse!"; exec sleep 600'], host: 'bamse' });
    const error = await rejection(site.ready);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'noise' });
    expect(error.message).toMatch(/Welcome to bamse!/);
  });

  test('that is aborted before it begins fails with the reason as its cause', async () => {
    const reason = new Error('changed my mind');
    const site = start({ signal: AbortSignal.abort(reason) });
    expect(await rejection(site.ready)).toMatchObject({
      code: 'ERR_OFFSITE_FORK',
      step: 'aborted',
      cause: reason,
    });
    await site.close();
    expect(site.state).toBe('closed');
  });

  test('that fails rejects what was called before with the same error', async () => {
    const site = start({ fork: NO_COMMAND, host: 'bamse' });
    const [ready, call, ping, enter] = await Promise.all([
      rejection(site.ready),
      rejection(site.link<Calc>(fixture('calc.js')).add(1, 2)),
      rejection(site.ping()),
      rejection(site.enter({ name: 'x' }, { y: () => 1 })),
    ]);
    expect([call, ping, enter]).toEqual([ready, ready, ready]);
  });

  test('leaves no unhandled rejection when nobody looks at it', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const site = new RemoteManager({ fork: NO_COMMAND, host: 'bamse', stderr: 'ignore' });
      await exitOf(site);
      await new Promise(setImmediate);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

describe('an abort', () => {
  test('closes a site that is ready, and a later one does nothing', async () => {
    const controller = new AbortController();
    const site = start({ fork: 'sh', signal: controller.signal });
    await site.ready;
    const { pid } = site;
    const exit = exitOf(site);
    controller.abort();
    controller.abort();
    expect(await exit).toMatchObject({ reason: 'closed' });
    await waitUntilGone([pid!], 1_000);
  });

  test('after the end of a site finds no listener', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    const site = start({ signal });
    await site.close();
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length);
  });

  test('gives up a link, a functor, an entering and a ping, each with the reason', async () => {
    const site = start();
    await site.ready;
    const reason = new Error('changed my mind');
    const signal = AbortSignal.abort(reason);
    const nothing = functor(() => ({ answer: 42 }));
    const given = await Promise.all([
      rejection(site.link(fixture('calc.js'), { signal })),
      rejection(site.apply(nothing, undefined, { signal })),
      rejection(site.enter({ name: 'x' }, { y: () => 1 }, { signal })),
      rejection(site.ping({ signal })),
    ]);
    expect(given).toEqual([reason, reason, reason, reason]);
    expect(await site.ping()).toBeGreaterThan(0);
  });
});

describe('a ping', () => {
  test('that is not answered in time says to whom and for how long', async () => {
    const site = start({ name: 'bamse' });
    const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
    const spinning = rejection(misbehave.spin());
    const error = await rejection(site.ping({ timeout: 30 }));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_TIMEOUT', waited: 30 });
    expect(error.message).toMatch(/A ping to bamse .*30 ms/);
    await site.close({ timeout: 10 });
    await spinning;
  });
});

describe('what is applied', () => {
  test('has to be a functor', () => {
    const site = start();
    expect(() => site.apply({ import: {}, source: '() => ({})' } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_OFFSITE_FUNCTOR' }),
    );
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type Child,
  type ChildExit,
  type Fault,
  functor,
  RemoteManager,
  type RemoteManagerOptions,
  Supervisor,
} from '../lib/index.ts';
import { type FarHost, makeNetwork, type Network, noNetwork } from './support/namespaces.ts';
import { waitUntilGone } from './support/processes.ts';
import { closeTracked, rejection, track } from './support/sites.ts';

const HEARTBEAT = 200;
/** So many numbered calls are in flight at once. */
const WINDOW = 20;

const unavailable = noNetwork();

let network: Network;
const folder = mkdtempSync(join(tmpdir(), 'offsite-network-'));

beforeAll(async () => {
  if (!unavailable) network = await makeNetwork([{}, { delay: 200, loss: 0.05 }, {}]);
}, 60_000);
afterEach(async () => {
  for (const host of network?.hosts ?? []) host.mend();
  await closeTracked();
});
afterAll(async () => {
  await network?.close();
  rmSync(folder, { recursive: true });
});

const far = ({ ssh }: FarHost, more: RemoteManagerOptions = {}) =>
  track(
    new RemoteManager({
      fork: 'ssh',
      host: ssh.host,
      sshOptions: ssh.options,
      heartbeat: HEARTBEAT,
      stdout: 'ignore',
      stderr: 'ignore',
      ...more,
    }),
  );

const notaryFunctor = () =>
  functor({ import: { fs: 'node:fs' } }, ({ fs }) => ({
    note(file: string, number: number) {
      fs.appendFileSync(file, `${number}\n`);
      return number;
    },
    never: () => new Promise<void>(() => {}),
    /** Tells who it is, again and again, for as long as it lives. */
    tell(told: (pid: number) => void) {
      setInterval(() => told(process.pid), 10);
      return process.pid;
    },
    spin() {
      for (;;);
    },
  }));

/** A module that writes down each number it is called with, on a disk that outlives it. */
const notary = async (site: RemoteManager | Child<RemoteManager>, file: string) => {
  const module = notaryFunctor();
  const works = await ('restarts' in site ? site.apply(module) : site.apply(module));
  return {
    note: (number: number) => works.note(file, number),
    never: () => works.never(),
    tell: (told: (pid: number) => void) => works.tell(told),
    spin: () => works.spin(),
    noted: () => readFileSync(file, 'utf8').trimEnd().split('\n').map(Number),
  };
};

const until = async (faults: AsyncIterable<Fault>, state: Fault['state']): Promise<void> => {
  for await (const fault of faults) if (fault.state === state) return;
  throw new Error(`The site ended and never was ${state}.`);
};

const hosts: [string, () => FarHost][] = [
  ['over a good line', () => network.hosts[0]!],
  ['with 200 ms there and back and 5 % of the packets lost', () => network.hosts[1]!],
];

/** Cuts the cable to a site that is called all the time, mends it, and looks whether each call was made once. */
const cutAndMend = async (
  host: FarHost,
  site: RemoteManager,
  called: RemoteManager | Child<RemoteManager>,
) => {
  const file = join(folder, `${host.ssh.host}-${called.constructor.name}`);
  const { note, noted } = await notary(called, file);
  const answers: Promise<number>[] = [];
  let calling = true;
  const callers = Array.from({ length: WINDOW }, async () => {
    while (calling) {
      const answer = note(answers.length);
      answers.push(answer);
      await answer;
    }
  });
  await Promise.all(answers);
  host.cut();
  await until(site.faults(), 'tempFail');
  expect(site.health).toMatchObject({ state: 'unreachable', busyFor: expect.any(Number) });
  const before = answers.length;
  host.mend();
  await until(site.faults(), 'ok');
  await Promise.all(answers);
  // Others than those that waited are answered, too.
  await answers[before];
  calling = false;
  await Promise.all(callers);
  const numbers = Array.from({ length: answers.length }, (_, number) => number);
  expect(await Promise.all(answers)).toEqual(numbers);
  expect(noted()).toEqual(numbers);
  expect(site.health).toEqual({ state: 'idle', busyFor: 0 });
};

describe.each(hosts)('a site on another host, %s', (_name, host) => {
  test('is out of reach while the cable is cut, and then goes on with nothing lost or repeated', async (context) => {
    if (unavailable) context.skip(unavailable);
    const site = far(host());
    await cutAndMend(host(), site, site);
  });

  test('is not started again by its supervisor for that, and its proxy loses and repeats nothing', async (context) => {
    if (unavailable) context.skip(unavailable);
    await using supervisor = new Supervisor({ children: [{ id: 'notary', start: () => far(host()) }] });
    await supervisor.ready;
    const child = supervisor.child('notary');
    const site = child.current!;
    await cutAndMend(host(), site, child);
    expect(child).toMatchObject({ current: site, restarts: 0, exit: undefined });
  });
});

test('a site that is cut off for too long is dead on both sides', async (context) => {
  if (unavailable) context.skip(unavailable);
  const host = network.hosts[0]!;
  const unreachableTimeout = 12 * HEARTBEAT;
  const [site, spinning] = [far(host, { unreachableTimeout }), far(host, { unreachableTimeout })];
  const file = join(folder, 'late');
  const { note, never, noted } = await notary(site, file);
  expect(await note(1)).toBe(1);
  const pids = [site.pid!, spinning.pid!];
  const inCalls = [never(), (await notary(spinning, file)).spin()].map(rejection);
  await site.ping();

  host.cut();
  // The kernel still has this one to send when nobody waits for it any more.
  const late = rejection(note(2));
  for (const error of [...(await Promise.all(inCalls)), await late]) {
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', reason: 'unreachable', mayHaveRun: true });
  }
  await Promise.all([until(site.faults(), 'permFail'), until(spinning.faults(), 'permFail')]);
  // The cable is still cut, so it is they who ended, also the one that never lets go of its thread.
  await waitUntilGone(pids, 2_000);

  const elsewhere = await notary(track(new RemoteManager({ fork: 'sh' })), file);
  expect(await elsewhere.note(3)).toBe(3);
  host.mend();
  const again = await notary(far(host), file);
  expect(await again.note(4)).toBe(4);
  expect(noted()).toEqual([1, 3, 4]);
});

test('a supervised site that is cut off for too long is started again elsewhere, and the old one is heard no more', async (context) => {
  if (unavailable) context.skip(unavailable);
  const places = [network.hosts[0]!, network.hosts[2]!];
  let starts = 0;
  await using supervisor = new Supervisor({
    children: [{ id: 'notary', start: () => far(places[starts++]!, { unreachableTimeout: 12 * HEARTBEAT }) }],
  });
  await supervisor.ready;
  const child = supervisor.child('notary');
  const old = child.current!;
  const { note, tell, noted } = await notary(child, join(folder, 'elsewhere'));
  const heard = new Set<number>();
  const first = await tell((pid) => heard.add(pid));
  await expect.poll(() => heard, { timeout: 5_000 }).toContain(first);
  expect(await note(1)).toBe(1);

  const down = new Promise<ChildExit>((resolve) => child.on('down', resolve));
  places[0]!.cut();
  // Nor can it end itself meanwhile, as a site does that is cut off: it is there still when the cable is back.
  process.kill(first, 'SIGSTOP');
  const late = rejection(note(2));
  expect(await late).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', reason: 'unreachable', mayHaveRun: true });
  expect(await down).toMatchObject({ cause: { reason: 'unreachable' } });

  // The same proxy, while the cable is cut still.
  expect(await note(3)).toBe(3);
  expect(child.current).not.toBe(old);
  expect(child).toMatchObject({ restarts: 1, current: { host: places[1]!.ssh.host } });
  heard.clear();
  const second = await tell((pid) => heard.add(pid));
  await expect.poll(() => heard, { timeout: 5_000 }).toContain(second);

  places[0]!.mend();
  process.kill(first, 'SIGCONT');
  await waitUntilGone([first], 5_000);
  expect(await note(4)).toBe(4);
  // All that the old one had to tell when it went on was refused.
  expect([...heard]).toEqual([second]);
  // The kernel may have had the late call still to send: it may have run, as its error says, and only once.
  const numbers = noted();
  expect(numbers.filter((number) => number !== 2)).toEqual([1, 3, 4]);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(child.restarts).toBe(1);
});

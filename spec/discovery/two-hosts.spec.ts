import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noNetwork } from '../support/namespaces.ts';

const unavailable = noNetwork();
const run = randomBytes(3).toString('hex');
/** Three hosts: two with two cables between them, and one that has no network at all. */
const [HERE, THERE, ALONE] = [`ofd${run}-here`, `ofd${run}-there`, `ofd${run}-alone`];
const CABLES = [0, 1];

interface Found {
  readonly nodes: readonly { name: string; aliases: string[]; interface: string; secured: boolean }[];
  readonly took: number;
  readonly lines: readonly string[];
}

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'ignore', timeout: 10_000 });
/** Devices of the kernel's may have names of 15 letters. */
const end = (cable: number, side: 'a' | 'b') => `od${run}${cable}${side}`;
const address = (cable: number, side: 'a' | 'b') => `198.19.${cable}.${side === 'a' ? 1 : 2}`;

/** The kernel says a moment after it was told to that a cable can be used; until then no program sees it. */
const untilUp = (space: string, device: string): void => {
  const end = performance.now() + 10_000;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const look = () => execFileSync('ip', ['-n', space, '-o', 'link', 'show', device], { encoding: 'utf8' });
  while (!look().includes('state UP')) {
    if (performance.now() > end) throw new Error(`${device} did not come up: ${look()}`);
    Atomics.wait(sleeper, 0, 0, 10);
  }
};

function layCable(cable: number): void {
  ip(
    'link',
    'add',
    end(cable, 'a'),
    'netns',
    HERE,
    'type',
    'veth',
    'peer',
    'name',
    end(cable, 'b'),
    'netns',
    THERE,
  );
  for (const [space, side] of [
    [HERE, 'a'],
    [THERE, 'b'],
  ] as const) {
    ip('-n', space, 'addr', 'add', `${address(cable, side)}/24`, 'dev', end(cable, side));
    ip('-n', space, 'link', 'set', end(cable, side), 'up');
  }
  untilUp(HERE, end(cable, 'a'));
  untilUp(THERE, end(cable, 'b'));
}

const takeCable = (cable: number) => ip('-n', HERE, 'link', 'del', end(cable, 'a'));

/** Programs in the namespaces, which end with the spec. */
const programs = new Set<ChildProcess>();

/** A program in a namespace, with the lines that it prints. */
function start(space: string, fixture: string, ...words: string[]) {
  const file = fileURLToPath(new URL(`fixtures/${fixture}.js`, import.meta.url));
  const child = spawn('ip', ['netns', 'exec', space, process.execPath, file, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  programs.add(child);
  const exit = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      programs.delete(child);
      resolve(code);
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => JSON.parse((await lines.next()).value as string) as unknown;
  return { child, exit, line };
}

const find = async (space: string, timeout: number, ...where: string[]): Promise<Found> => {
  const { line, exit } = start(space, 'look', 'find', String(timeout), ...where);
  const found = (await line()) as Found;
  expect(await exit).toBe(0);
  return found;
};

describe.skipIf(unavailable)(`hosts of one network${unavailable ? ` (skipped: ${unavailable})` : ''}`, () => {
  beforeAll(() => {
    for (const space of [HERE, THERE, ALONE]) {
      ip('netns', 'add', space);
      ip('-n', space, 'link', 'set', 'lo', 'up');
    }
    CABLES.forEach(layCable);
  });

  afterAll(() => {
    for (const child of programs) child.kill('SIGKILL');
    for (const space of [HERE, THERE, ALONE]) ip('netns', 'del', space);
  });

  it.concurrent('where nobody announces himself say on which interfaces they asked, and for how long', async () => {
    const { nodes, took, lines } = await find(HERE, 500, 'auto');
    expect(nodes).toEqual([]);
    expect(took).toBeLessThan(5_000);
    expect([...lines].sort()).toEqual(
      CABLES.map((cable) =>
        expect.stringMatching(
          new RegExp(
            `^auto: multicast on ${end(cable, 'a')} \\(${address(cable, 'a')}, UDP port 5353\\): asked for \\d+ ms, and nobody answered$`,
          ),
        ),
      ),
    );
  });

  it.concurrent('that have no network say so, and announce nothing without harm', async () => {
    const node = start(ALONE, 'node', 'alone', '35000');
    expect(await node.line()).toEqual([]);
    const { nodes, lines } = await find(ALONE, 60_000, 'auto');
    expect(nodes).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(/no network interface that is up, but for loopback/)]);
    node.child.kill();
    expect(await node.exit).toBe(0);
  });

  it('find each other by multicast, once, though two cables lead there', async () => {
    const node = start(THERE, 'node', 'far', '35020');
    expect(await node.line()).toEqual(
      CABLES.map((cable) => ({ interface: end(cable, 'b'), addresses: [address(cable, 'b')] })),
    );
    const [byWord, byHost] = await Promise.all([
      find(HERE, 5_000, 'auto'),
      // Not at a port that would be tried without having been announced.
      find(HERE, 5_000, `${address(0, 'b')}:*`),
    ]);
    expect(byWord.nodes).toMatchObject([{ name: 'far', by: 'mdns', secured: true }]);
    expect(byWord.lines).toEqual([]);
    expect(byHost.nodes).toMatchObject([{ name: 'far', by: 'mdns', address: { port: 35_020 } }]);
    node.child.kill();
    expect(await node.exit).toBe(0);
  });

  it('learn of one that joins late, of its end, and of its cable that was taken away and laid anew', async () => {
    const watch = start(HERE, 'look', 'watch', '2000', 'auto');
    expect(await watch.line()).toBe('watching');
    const node = start(THERE, 'node', 'late', '35021');
    await node.line();
    expect(await watch.line()).toMatchObject({ up: { name: 'late', address: { port: 35_021 } } });
    node.child.kill();
    expect(await watch.line()).toMatchObject({ down: { name: 'late' } });
    expect(await node.exit).toBe(0);
    watch.child.kill();
    await watch.exit;

    const other = start(THERE, 'node', 'other', '35022');
    await other.line();
    CABLES.forEach(takeCable);
    CABLES.forEach(layCable);
    // The node looks every 2 s whether interfaces have come or gone.
    const again = await find(HERE, 15_000, 'auto');
    expect(again.nodes).toMatchObject([{ name: 'other' }]);
    other.child.kill();
    expect(await other.exit).toBe(0);
  });
});

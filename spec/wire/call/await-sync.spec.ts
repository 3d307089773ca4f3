import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TimeoutError, UnserializableError } from '../../../lib/wire/errors.ts';
import { HEADER, Kind } from '../../../lib/wire/frame/frame.ts';
import type { Link } from '../../../lib/wire/link/link.ts';
import { ringMemory } from '../../../lib/wire/link/ring.ts';
import { RingLink } from '../../../lib/wire/link/ring-link.ts';
import { StreamLink } from '../../../lib/wire/link/stream-link.ts';
import { Session } from '../../../lib/wire/session.ts';
import { type Anything, pair, rejection, settled } from '../pair.ts';

const frame = (kind: number, id: number, body: Uint8Array) => {
  const bytes = Buffer.alloc(HEADER + 8 + body.length);
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[4] = kind;
  bytes.writeDoubleLE(id, HEADER);
  bytes.set(body, HEADER + 8);
  return bytes;
};
const json = (value: unknown) => Buffer.from(`\u0000${JSON.stringify(value)}`);

/** A session whose far side is this spec, which answers when it is waited for. */
const alone = (main: object = {}) => {
  const { near } = pair({}, main);
  near.link.hold();
  const lastCall = () => near.link.sent.filter(({ kind }) => kind === 'call').at(-1)!.id;
  const answer = (value: unknown, kind: number = Kind.return) =>
    near.link.deliver(frame(kind, lastCall(), json(value)));
  const hear = (word: string) => near.link.deliver(frame(Kind.output, 0, Buffer.from(word)));
  const heard = () => near.events.output.map(([, word]) => word);
  const ask = (timeout = 5_000) => near.session.callSync(['ask'], [1], timeout);
  return { ...near, lastCall, answer, hear, heard, ask };
};

describe('a synchronous call', () => {
  test('has its answer when it returns, and was one call', () => {
    const { link, session, answer, ask } = alone();
    link.onWait = () => answer({ a: [1] });
    expect(ask()).toEqual({ a: [1] });
    expect(link.count('call')).toBe(1);
    expect(session.inFlight).toBe(0);
  });

  test('leaves all else for afterwards, in its order', async () => {
    const { link, answer, hear, heard, ask } = alone();
    link.onWait = () => {
      hear('1');
      answer('yes');
      hear('2');
    };
    expect(ask()).toBe('yes');
    expect(heard()).toEqual([]);
    hear('3');
    expect(heard()).toEqual(['1', '2', '3']);
    await settled();
    expect(heard()).toEqual(['1', '2', '3']);
  });

  test('waits on through what is not its answer', () => {
    const { link, answer, lastCall, ask } = alone();
    let waits = 0;
    link.onWait = (timeout) => {
      expect(timeout).toBeGreaterThan(0);
      waits++;
      if (waits === 1) link.deliver(frame(Kind.return, lastCall() + 1, json('not this')));
      if (waits === 2) link.deliver(frame(Kind.pong, lastCall(), Buffer.alloc(0)));
      if (waits === 3) answer('this');
    };
    expect(ask()).toBe('this');
    expect(waits).toBe(3);
  });

  test('can be made in the midst of others, for whose answers somebody waits', async () => {
    const { link, session, answer, ask } = alone();
    const remote = session.main as Anything;
    const other = remote.other() as Promise<unknown>;
    const settledOther = other.then((value) => value);
    await settled();
    const first = link.sent.find(({ kind }) => kind === 'call')!.id;
    link.onWait = () => {
      link.deliver(frame(Kind.return, first, json('first')));
      answer('second');
    };
    expect(ask()).toBe('second');
    expect(await settledOther).toBe('first');
  });

  test('can be made by a call of the peer, and by one that had to wait for it', async () => {
    const log: string[] = [];
    const world = alone({
      run(name: string) {
        log.push(`${name} begins`);
        log.push(`${name} got ${world.ask()}`);
      },
    });
    const { link, answer } = world;
    let count = 0;
    const run = (name: string) => {
      // id, target, path and arguments of a call that nobody waits for.
      const path = Buffer.from('\u0003\u0000run');
      const bytes = frame(Kind.call, ++count, Buffer.concat([Buffer.alloc(8), path, json([name])]));
      bytes[5] = 0b1000;
      bytes.writeUInt16LE(1, 6);
      return bytes;
    };
    link.onWait = () => {
      link.onWait = () => answer('two');
      link.deliver(run('second'));
      answer('one');
    };
    link.deliver(run('first'));
    await settled();
    expect(log).toEqual(['first begins', 'first got one', 'second begins', 'second got two']);
  });

  test('that is not answered in time throws a TimeoutError, and a late answer is dropped', async () => {
    const { link, session, answer, hear, heard, ask } = alone();
    link.onWait = () => {};
    const start = performance.now();
    expect(() => ask(20)).toThrow(expect.objectContaining({ code: 'ERR_OFFSITE_TIMEOUT', waited: 20 }));
    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
    expect(session.inFlight).toBe(0);
    answer('late');
    hear('and on it goes');
    await settled();
    expect(heard()).toEqual(['and on it goes']);
    link.onWait = () => answer('again');
    expect(ask()).toBe('again');
  });

  test('throws at once when the session ends while it waits, and says that it may have run', () => {
    const { link, session, ask } = alone();
    let waits = 0;
    link.onWait = () => {
      waits++;
      session.end((mayHaveRun) => Object.assign(new Error('ended'), { mayHaveRun }));
    };
    expect(() => ask()).toThrow(expect.objectContaining({ message: 'ended', mayHaveRun: true }));
    expect(waits).toBe(1);
  });

  test('throws at once after the end of the session, without waiting', () => {
    const { link, session, ask } = alone();
    session.end((mayHaveRun) => Object.assign(new Error('ended'), { mayHaveRun }));
    link.onWait = () => expect.unreachable('There is nothing to wait for.');
    expect(() => ask()).toThrow(expect.objectContaining({ message: 'ended', mayHaveRun: false }));
  });

  test('throws at once if it can not be sent', async () => {
    const { link, session } = alone();
    link.onWait = () => expect.unreachable('There is nothing to wait for.');
    expect(() => session.callSync(['ask'], [Symbol('no')], 5_000)).toThrow(UnserializableError);
    // A getter of what is being sent, as modules have them that load their parts late.
    const lazy = {
      get part(): unknown {
        return session.callSync(['ask'], [], 5_000);
      },
    };
    const remote = session.main as Anything;
    expect(await rejection(remote.take(lazy))).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
    expect(session.inFlight).toBe(0);
  });

  test('fails alone if its answer can not be read', () => {
    const { link, answer, lastCall, ask } = alone();
    link.onWait = () => link.deliver(frame(Kind.return, lastCall(), Buffer.from('\u0000{')));
    expect(() => ask()).toThrow(expect.objectContaining({ code: 'ERR_OFFSITE_UNDECODABLE' }));
    expect(link.destroyed).toBe(false);
    link.onWait = () => answer('fine');
    expect(ask()).toBe('fine');
  });

  test('ends with the link when the peer breaks the protocol meanwhile', async () => {
    const { link, session, events, ask } = alone();
    const broken = frame(Kind.ping, 1, Buffer.alloc(0));
    broken.writeUInt32LE(3, 0);
    link.onWait = () => {
      link.deliver(broken);
      if (events.disconnected.length > 0) session.end(() => new Error('broken'));
    };
    expect(() => ask()).toThrow('broken');
    expect(events.disconnected).toMatchObject([{ code: 'ERR_OFFSITE_PROTOCOL' }]);
  });

  test('ends the link when a frame that had to wait breaks the protocol afterwards', async () => {
    const { link, events, answer, ask } = alone();
    link.onWait = () => {
      link.deliver(frame(99, 1, Buffer.alloc(0)));
      answer('fine');
    };
    expect(ask()).toBe('fine');
    await settled();
    expect(events.disconnected).toMatchObject([{ code: 'ERR_OFFSITE_PROTOCOL' }]);
  });
});

/** What runs at the far end of a real link: it asks this process synchronously whatever it is told to ask. */
const PROGRAM = `
  import { writeSync } from 'node:fs';
  import { Socket } from 'node:net';
  import { isMainThread, workerData } from 'node:worker_threads';
  import { RingLink } from './link/ring-link.ts';
  import { Session } from './session.ts';
  import { StreamLink } from './link/stream-link.ts';

  const log = [];
  const session = new Session('the spec', {
    ask: (method, args = [], timeout = 15_000) => {
      log.push(method + ' begins');
      const value = session.callSync([method], args, timeout);
      log.push(method + ' ends');
      return value;
    },
    note: (word) => void log.push(word),
    log: () => log.splice(0),
  }, {
    disconnected: () => {
      session.end(() => {
        writeSync(2, 'The link is gone.');
        return new Error('The link is gone.');
      });
      if (isMainThread) setImmediate(() => process.exit(0));
    },
  });
  setInterval(() => {}, 2 ** 31 - 1);
  if (isMainThread) {
    const [input, output] = [3, 4].map((fd) => new Socket({ fd, readable: fd === 3, writable: fd === 4 }));
    output._handle.setBlocking(true);
    session.attach(new StreamLink(input, output, 3));
  } else {
    session.attach(new RingLink(workerData));
  }
`;

let folder: string;
let program: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-sync-'));
  program = join(folder, 'program.cjs');
  const { outputFiles } = buildSync({
    stdin: { contents: PROGRAM, resolveDir: fileURLToPath(new URL('../../../lib/wire/', import.meta.url)) },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
  });
  writeFileSync(program, outputFiles[0]!.contents);
});
afterAll(() => rmSync(folder, { recursive: true }));

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

interface Far {
  readonly link: Link;
  readonly child?: ChildProcess;
  readonly worker?: Worker;
}

const inThread = (): Far => {
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(program, {
    workerData: { input: down, output: up, port: port2 },
    transferList: [port2],
  });
  const link = new RingLink({ input: up, output: down, port: port1 });
  ends.push(() => {
    link.destroy();
    return worker.terminate();
  });
  return { link, worker };
};

const inProcess = (): Far => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'pipe', 'pipe', 'pipe'] });
  const gone = once(child, 'exit');
  const link = new StreamLink(child.stdio[4] as Socket, child.stdio[3] as Socket);
  ends.push(() => {
    child.kill('SIGKILL');
    return gone;
  });
  return { link, child };
};

describe.each<[string, () => Far]>([
  ['a ring to another thread', inThread],
  ['pipes to another process', inProcess],
])('over %s, a synchronous call', (_where, start) => {
  const open = (main: (remote: Anything) => object) => {
    const far = start();
    const session: Session = new Session(
      'far',
      main(new Proxy({}, { get: (_, key) => (session.main as Anything)[key] })),
      {},
    );
    session.attach(far.link);
    return { ...far, session, remote: session.main as Anything };
  };
  const service = () => ({
    echo: (value: unknown) => value,
    later: async (value: unknown) => {
      await settled();
      return value;
    },
    fail: () => {
      throw new RangeError('m');
    },
    never: () => new Promise(() => {}),
  });

  test('is answered, be it at once, later, with nothing or with an error', async () => {
    const { remote } = open(service);
    expect(await remote.ask('echo', [{ a: [1, null, 'ü'] }])).toEqual({ a: [1, null, 'ü'] });
    expect(await remote.ask('later', [2])).toBe(2);
    expect(await remote.ask('echo')).toBeUndefined();
    const error = (await rejection(remote.ask('fail'))) as Error;
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe('m');
    expect(await rejection(remote.ask('none'))).toBeInstanceOf(TypeError);
    expect(await remote.ask('echo', ['still there'])).toBe('still there');
  });

  test('carries what is larger than a pipe or a ring, both ways', async () => {
    const { remote } = open(service);
    const bytes = new Uint8Array(3_000_000).map((_, i) => i * 7);
    expect(Buffer.from((await remote.ask('echo', [bytes])) as Uint8Array).equals(Buffer.from(bytes))).toBe(
      true,
    );
    const word = 'ñ'.repeat(400_000);
    expect(await remote.ask('later', [word])).toBe(word);
  });

  test('leaves all that comes meanwhile for afterwards, in its order', async () => {
    const { remote } = open((far) => ({
      chat: async () => {
        for (let i = 0; i < 50; i++) far.note(`note ${i}`);
        await settled();
        for (let i = 50; i < 100; i++) far.note(`note ${i}`);
      },
    }));
    await remote.ask('chat');
    expect(await remote.log()).toEqual([
      'chat begins',
      'chat ends',
      ...Array.from({ length: 100 }, (_, i) => `note ${i}`),
    ]);
  });

  test('may be one of many, some of which come while others wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('echo', 'later', 'nest', 'note'), fc.nat(30_000)), {
          minLength: 1,
          maxLength: 40,
        }),
        async (calls) => {
          const nested: Promise<unknown>[] = [];
          const { remote } = open((far) => ({
            ...service(),
            nest: async (value: string) => {
              nested.push(far.ask('later', ['nested']));
              await settled();
              return value;
            },
          }));
          const results = await Promise.all(
            calls.map(([method, size], i) => {
              const value = String(i).padEnd(size, '.');
              return method === 'note' ? remote.note(`${i}`) : remote.ask(method, [value]);
            }),
          );
          expect(results).toEqual(
            calls.map(([method, size], i) => (method === 'note' ? undefined : String(i).padEnd(size, '.'))),
          );
          expect(new Set(await Promise.all(nested))).toEqual(new Set(nested.length > 0 ? ['nested'] : []));
          const log: string[] = await remote.log();
          const own = log.filter((line) => /^\d+$/.test(line));
          expect(own).toEqual(calls.flatMap(([method], i) => (method === 'note' ? [`${i}`] : [])));
          // Nobody else's call was performed while one waited.
          const waits = log.filter((line) => !/^\d+$/.test(line));
          for (let i = 0; i < waits.length; i += 2) {
            expect(waits[i + 1]).toBe(waits[i]!.replace('begins', 'ends'));
          }
          await Promise.all(ends.splice(0).map((end) => end()));
        },
      ),
      { numRuns: 6 },
    );
  });

  test('that is never answered throws in time, and the link goes on', async () => {
    const { remote } = open(service);
    const error = await rejection(remote.ask('never', [], 30));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ waited: 30 });
    expect(await remote.ask('echo', [1])).toBe(1);
  });
});

describe('a peer that dies while it is waited for', () => {
  test('ends the wait of a process with its pipe', async () => {
    let asked = () => {};
    const waits = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { link, child } = inProcess();
    const session = new Session(
      'far',
      {
        never: () => {
          asked();
          return new Promise(() => {});
        },
      },
      {},
    );
    session.attach(link);
    const said = text(child!.stderr!);
    rejection((session.main as Anything).ask('never')).catch(() => {});
    await waits;
    link.destroy();
    expect(await once(child!, 'exit')).toEqual([0, null]);
    expect(await said).toContain('The link is gone.');
    session.end(() => new Error('over'));
  });

  test('is no reason for a thread not to be ended', async () => {
    let asked = () => {};
    const waits = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { link, worker } = inThread();
    const session = new Session(
      'far',
      {
        never: () => {
          asked();
          return new Promise(() => {});
        },
      },
      {},
    );
    session.attach(link);
    const failing = rejection((session.main as Anything).ask('never'));
    await waits;
    link.destroy();
    expect(await worker!.terminate()).toBe(1);
    session.end(() => new Error('over'));
    expect(await failing).toMatchObject({ message: 'over' });
  });
});

import { describe, expect, test } from 'vitest';
import { type Anything, endOf, type MemoryLink, memoryLinks, pair, rejection, settled } from './pair.ts';
import { service } from './service.ts';

const calls = (link: MemoryLink) => link.count('call');

describe('a call', () => {
  test('gives what the function returned, and what its promise became', async () => {
    const { remote } = pair(service());
    expect(await remote.add(1, 2)).toBe(3);
    expect(await remote.later('x')).toBe('x');
    expect(await remote.settings).toEqual({ unit: 'm' });
    expect(await remote.missing).toBeUndefined();
    expect(await remote.say('x')).toBeUndefined();
  });

  test('takes one frame in each direction', async () => {
    const { near, far, remote } = pair(service());
    await remote.add(1, 2);
    expect(near.link.sent.map(({ kind }) => kind)).toEqual(['call']);
    expect(far.link.sent.map(({ kind }) => kind)).toEqual(['return']);
    expect(far.session.references.exports).toBe(0);
  });

  test('leaves together with the others of its turn, and all begin in order', async () => {
    const { near, far, remote } = pair(service());
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => remote.add(i, i)));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i));
    expect([near.link.sends, calls(near.link)]).toEqual([1, 50]);
    expect(far.link.count('return')).toBe(50);
  });

  test('that nobody awaits is made, but nothing is sent back for it', async () => {
    const main = service();
    const { far, remote } = pair(main);
    remote.say('one');
    remote.fail();
    remote.later('x');
    await settled();
    expect(main.heard).toEqual(['one']);
    expect(far.link.sent).toEqual([]);
  });

  test('that is awaited in a later turn is asked for then', async () => {
    const { near, far, remote } = pair(service());
    const sum = remote.add(20, 22);
    await settled();
    expect(far.link.sent).toEqual([]);
    expect(await sum).toBe(42);
    expect(await sum).toBe(42);
    expect(near.link.sent.map(({ kind }) => kind)).toEqual(['call', 'pull']);
  });

  test('can be awaited, caught and finished like any promise', async () => {
    const { remote } = pair(service());
    expect(await remote.add(1, 1).then((sum: number) => sum * 10)).toBe(20);
    expect(await remote.fail().catch((error: Error) => error.message)).toBe('m');
    let finished = false;
    await rejection(
      remote.fail().finally(() => {
        finished = true;
      }),
    );
    expect(finished).toBe(true);
    expect(await Promise.allSettled([remote.add(1, 1), remote.fail()])).toMatchObject([
      { status: 'fulfilled', value: 2 },
      { status: 'rejected' },
    ]);
  });

  test('made before there is a link waits for it', async () => {
    const [nearLink, farLink] = memoryLinks();
    const near = endOf('far', undefined, nearLink, false);
    const remote = near.session.main as Anything;
    const [sum, next] = [remote.add(1, 2), remote.counter(1).next().add(1)];
    const both = Promise.all([sum, next]);
    await settled();
    endOf('near', service(), farLink);
    near.session.attach(nearLink);
    expect(await both).toEqual([3, 3]);
  });

  test('of something that is no function says so', async () => {
    const { remote } = pair(service());
    expect(await rejection(remote.settings())).toBeInstanceOf(TypeError);
    expect((await rejection(remote.settings.unit.deep.deeper())).message).toMatch(/settings\.unit\.deep/);
  });

  test('with an argument that can not be sent rejects, and neither it nor half of it is sent', async () => {
    const main = service();
    const { near, remote } = pair(main);
    const [before, refused, after] = [
      remote.say('before'),
      rejection(remote.say({ callback: () => 1, no: Symbol('no') })),
      remote.say('after'),
    ];
    expect(await refused).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE', path: 'arguments[0].no' });
    await Promise.all([before, after]);
    expect(main.heard).toEqual(['before', 'after']);
    expect(near.session.references.exports).toBe(0);
  });

  test('made by a getter while its object is being sent rejects, and the object arrives', async () => {
    const { remote } = pair(service());
    let inner: Promise<unknown> | undefined;
    const value = {
      get trap() {
        inner ??= rejection(remote.add(1, 1));
        return 1n;
      },
    };
    expect(await remote.echo(value)).toEqual({ trap: 1n });
    expect(await inner).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE' });
    expect(await remote.add(1, 1)).toBe(2);
  });

  test('refuses that a property is set, looked for or deleted over there', () => {
    const { remote } = pair(service());
    expect(() => {
      remote.settings = 1;
    }).toThrow(/settings.*can't be set/);
    expect(() => delete remote.settings).toThrow(TypeError);
    expect('settings' in remote).toBe(false);
  });

  test('keeps the process alive exactly as long as somebody waits', async () => {
    const { near, remote } = pair(service());
    near.link.unref();
    const sum = remote.add(1, 2).then((value: number) => value);
    expect(near.link.referenced).toBe(true);
    expect(near.session.inFlight).toBe(1);
    await sum;
    expect(near.link.referenced).toBe(false);
    expect(near.session.inFlight).toBe(0);
  });
});

describe('a result', () => {
  test('is used further before it exists, in one round trip', async () => {
    const { near, far, remote } = pair(service());
    expect(await remote.counter(1).next().next().add(39)).toBe(42);
    expect([near.link.sends, calls(near.link)]).toEqual([1, 4]);
    expect(far.link.sent.map(({ kind }) => kind)).toEqual(['return']);
  });

  test('is used by several calls of the same turn', async () => {
    const { near, remote } = pair(service());
    const counter = remote.counter(0);
    expect(await Promise.all([counter.add(1), counter.add(1), counter.value])).toEqual([1, 2, 2]);
    expect([near.link.sends, calls(near.link)]).toEqual([1, 4]);
  });

  test('of a promise over there is used further when that is fulfilled', async () => {
    const { remote } = pair(service());
    expect(await remote.later({ deep: { list: [1, 2] } }).deep.list).toEqual([1, 2]);
  });

  test('that failed fails whatever is done with it', async () => {
    const { remote } = pair(service());
    expect(await rejection(remote.fail().anything.at.all())).toBeInstanceOf(RangeError);
  });

  test('that has arrived is used here', async () => {
    const { near, remote } = pair(service());
    const text = remote.echo('größe');
    expect(await text).toBe('größe');
    const before = near.link.sends;
    expect(await text.toUpperCase()).toBe('GRÖSSE');
    expect(await text.length).toBe(5);
    expect(near.link.sends).toBe(before);
  });

  test('that can not be sent rejects its call with the path, and the link lives', async () => {
    const { remote } = pair(service());
    expect(await rejection(remote.giveSymbol())).toMatchObject({
      code: 'ERR_OFFSITE_UNSERIALIZABLE',
      path: 'result.rows[0]',
    });
    expect(await remote.add(1, 1)).toBe(2);
  });

  test.each(['throwSymbol', 'throwHalf', 'throwGetter'])(
    'that is an error which can not be sent whole still rejects its call: %s',
    async (name) => {
      const { remote } = pair(service());
      expect(await rejection(remote[name]())).toBeInstanceOf(Error);
      expect(await remote.add(1, 1)).toBe(2);
    },
  );

  test('whose body can not be read rejects its call with an UndecodableError, and the link lives', async () => {
    const { near, far, remote } = pair(service());
    far.link.hold();
    const waiting = rejection(remote.add(1, 2));
    await settled();
    const answer = Buffer.alloc(18);
    answer.writeUInt32LE(14, 0);
    answer[4] = 3; // return
    answer.writeDoubleLE(near.link.sent[0]!.id, 8);
    answer[16] = 99; // no kind of body
    near.link.deliver(answer);
    expect(await waiting).toMatchObject({ code: 'ERR_OFFSITE_UNDECODABLE' });
    // The answer proper is one that nobody waits for any more.
    far.link.letGo();
    expect(await remote.add(1, 1)).toBe(2);
    expect(near.events.disconnected).toEqual([]);
  });
});

describe('a session', () => {
  test('greets first, with plain data', async () => {
    const [nearLink, farLink] = memoryLinks();
    const near = endOf('far', undefined, nearLink, false);
    near.session.greet({ protocol: 1 });
    const remote = near.session.main as Anything;
    const sum = remote.add(1, 1).then((value: number) => value);
    const far = endOf('near', service(), farLink);
    near.session.attach(nearLink);
    expect(await sum).toBe(2);
    expect(far.events.hello).toEqual([{ protocol: 1 }]);
    expect(nearLink.sent.map(({ kind }) => kind)).toEqual(['hello', 'call']);
  });

  test('answers a ping at once, although its calls take long', async () => {
    const { far, remote, near } = pair({ never: () => new Promise(() => {}) });
    void remote.never().then(() => {});
    await near.session.ping();
    expect(far.link.sent.map(({ kind }) => kind)).toEqual(['pong']);
  });

  test('passes on what was printed over there, in order, and the wish to close', async () => {
    const { near, far } = pair({});
    far.session.output(1, 'größe');
    far.session.output(2, 'a complaint\n');
    near.session.sendClose();
    await settled();
    expect(near.events.output).toEqual([
      [1, 'größe'],
      [2, 'a complaint\n'],
    ]);
    expect(far.events.closes).toBe(1);
  });

  test('counts the calls that run in it', async () => {
    const activity = new Int32Array(new SharedArrayBuffer(4));
    const seen: number[] = [];
    let finish = () => {};
    const [nearLink, farLink] = memoryLinks();
    const { Session } = await import('../../lib/wire/session.ts');
    const main = {
      now: () => seen.push(activity[0]!),
      long: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    };
    new Session('near', main, {}, { activity }).attach(farLink);
    const remote = endOf('far', undefined, nearLink).session.main as Anything;
    const long = remote.long().then(() => {});
    await remote.now();
    finish();
    await long;
    await remote.now();
    expect(seen).toEqual([2, 1]);
    expect(activity[0]).toBe(0);
  });
});

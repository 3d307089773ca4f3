import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import {
  CANCELLABLE,
  CUT,
  FORGET,
  HOME,
  Kind,
  MAX_FRAME,
  ONCE,
  PULLED,
  VOID,
} from '../../../lib/wire/frame/frame.ts';
import { endOf, memoryLinks, pair } from '../pair.ts';
import { attack, call, double, expectClosed, expectIgnored, frame, live, plain, victim } from './attack.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
/** What is no whole number above zero. */
const NO_NUMBERS = [nan, infinity, -infinity, 0, -1, 0.5, 1.5, 2 ** 53, 5e-324];

describe('a peer that breaks the protocol loses its link, and nobody else anything,', () => {
  test.each<[string, Buffer[]]>([
    ['an unknown kind of frame', [frame(99, 1)]],
    ['the kind zero', [frame(0, 1)]],
    ['the kind behind the last', [frame(19, 1)]],
    ['a frame of no size', [Buffer.alloc(4)]],
    ['less than a size', [Buffer.from([9, 0])]],
    ['less than a size behind a whole frame', [Buffer.concat([frame(Kind.ping, 1), Buffer.from([1])])]],
    ['a frame shorter than a header', [Buffer.from([8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])]],
    ['a frame that is longer than what came', [frame(Kind.ping, 1).subarray(0, 12)]],
    ['a second greeting', [frame(Kind.hello, 0, plain(1)), frame(Kind.hello, 0, plain(1))]],
    ['a pull of what is not there', [frame(Kind.pull, 77)]],
    ['a pull of the main object', [frame(Kind.pull, 0)]],
    ['a pull of what was not a number', [frame(Kind.pull, nan)]],
    ['a second pull', [call(1, 'never', plain([]), 0), frame(Kind.pull, 1), frame(Kind.pull, 1)]],
    ['a pull of what is pulled', [call(1, 'never', plain([]), PULLED), frame(Kind.pull, 1)]],
    ['a release of what is not there', [frame(Kind.release, -5, double(1))]],
    ['a release of the main object', [frame(Kind.release, 0, double(1))]],
    ['a release without end', [frame(Kind.release, 0, double(infinity))]],
    ['a release that does not say how often', [call(1, 'never', plain([]), 0), frame(Kind.release, 1)]],
    [
      'a release that would read on in the next frame',
      [Buffer.concat([call(1, 'never', plain([]), 0), frame(Kind.release, 1), frame(Kind.ping, 1)])],
    ],
    ['a call of what is not there', [call(1, 'x', plain([]), ONCE | PULLED, -9)]],
    ['a call of a result that is not there', [call(2, 'x', plain([]), ONCE | PULLED, 1)]],
    ['a call without a target', [frame(Kind.call, 1, new Uint8Array(), ONCE | PULLED)]],
    ['a call whose target is in the next frame', [Buffer.concat([frame(Kind.call, 1), frame(Kind.ping, 1)])]],
    ['a call without its path', [frame(Kind.call, 1, double(0), ONCE | PULLED, 1)]],
    ['a call with half a path', [frame(Kind.call, 1, Buffer.from([...double(0), 9, 0, 97]), ONCE, 1)]],
    ['a call with more path than there is', [frame(Kind.call, 1, double(0), ONCE | PULLED, 65_535)]],
    ['a call that does what none can do', [call(1, 'add', plain([]), ONCE | PULLED | 3)]],
    ['the id of a kept call twice', [call(1, 'text', plain([]), 0), call(1, 'text', plain([]), 0)]],
    [
      'the id of a call that runs and may be given up twice',
      [call(1, 'never', plain([]), ONCE | CANCELLABLE), call(1, 'never', plain([]), ONCE | CANCELLABLE)],
    ],
    ['a result of a call that is not there', [call(1, 'take', live('result', 7, true))]],
    ['a reference of its own that it does not hold', [call(1, 'take', live('reference', -7, true))]],
    [
      'a release of a kept call twice',
      [call(1, 'text', plain([]), 0), frame(Kind.release, 1, double(1)), frame(Kind.release, 1, double(1))],
    ],
  ])('for %s', async (_name, messages) => {
    await expectClosed(messages);
  });

  test.each(NO_NUMBERS)('for a call under the id %d, kept or not', async (id) => {
    await expectClosed([call(id, 'text', plain([]), 0)]);
    await expectClosed([call(id, 'text')]);
  });

  test.each(NO_NUMBERS)('for a release of %d introductions', async (count) => {
    await expectClosed([call(1, 'text', plain([]), 0), frame(Kind.release, 1, double(count))]);
  });

  test('for a frame larger than the largest', async () => {
    const head = frame(Kind.ping, 1);
    head.writeUInt32LE(MAX_FRAME + 1, 0);
    await expectClosed([head]);
  });

  test('for giving a reference back twice that was given once', async () => {
    const world = pair(victim());
    const held = await world.remote.object();
    expect(world.far.session.references.exports).toBe(1);
    world.far.link.deliver(frame(Kind.release, -1, double(1)));
    expect(world.far.session.references.exports).toBe(0);
    expect([held !== undefined, world.far.events.disconnected]).toEqual([true, []]);
    world.far.link.deliver(frame(Kind.release, -1, double(1)));
    expect(world.far.events.disconnected[0]).toBeInstanceOf(ProtocolError);
  });

  test('for a greeting that can not be read, with an error that says so', async () => {
    const { cause } = await attack([frame(Kind.hello, 0, Buffer.from([9]))]);
    expect(cause).toMatchObject({ code: 'ERR_OFFSITE_UNDECODABLE' });
  });

  test('and nothing that came behind the bad frame is looked at', async () => {
    const { far } = await attack([Buffer.concat([frame(99, 1), frame(Kind.output, 0, Buffer.from('x'), 1)])]);
    expect(far.events.output).toEqual([]);
  });

  test('and an owner that throws at what arrives loses the link with that error', async () => {
    const [link] = memoryLinks();
    const { session, events } = endOf('peer', undefined, link);
    Object.assign(events.hello, {
      push: () => {
        throw new Error('the owner fails');
      },
    });
    link.deliver(frame(Kind.hello, 0, plain(1)));
    expect(events.disconnected).toMatchObject([{ message: 'the owner fails' }]);
    expect(session.inFlight).toBe(0);
  });
});

describe('what a peer says that means nothing is not listened to:', () => {
  test.each<[string, Buffer]>([
    ['an answer to no call, because the call may have been given up', frame(Kind.return, 1234, plain(1))],
    ['an error for no call', frame(Kind.throw, -1, plain(1))],
    ['a pong for no ping', frame(Kind.pong, 3)],
    ['an answer to no call that can not be read', frame(Kind.return, 1234, Buffer.from([9, 9]))],
    ['a word that gives up no call, because that may have been answered', frame(Kind.cancel, 9, plain('x'))],
    ['a word that gives up what can not be a call', frame(Kind.cancel, nan)],
    ['the abort of no signal, because that may have been forgotten', frame(Kind.abort, -9, plain('x'))],
    ['the abort of what can not be a signal', frame(Kind.abort, infinity, Buffer.from([9]))],
    ['that no signal will be aborted', frame(Kind.abort, 1.5, plain(1), FORGET)],
    ['a part of nothing, whose message could not be read', frame(Kind.part, -9, Buffer.alloc(9))],
    ['an end of nothing', frame(Kind.part, nan, Buffer.alloc(0), CUT)],
    ['a call that was given up before it left', call(9, 'never', plain([]), ONCE | PULLED | VOID)],
    [
      'printed text that is no UTF-8, on a descriptor that is none',
      frame(Kind.output, 5, Buffer.from([0xff]), 77),
    ],
    ['flags that mean nothing', frame(Kind.ping, 1, Buffer.alloc(0), 0xff)],
  ])('%s', async (_name, bytes) => {
    await expectIgnored([bytes]);
  });

  test('calls before a greeting, because they may come with it', async () => {
    const { far } = await expectIgnored([call(1, 'add', plain([1, 2])), frame(Kind.hello, 0, plain('late'))]);
    expect([far.link.sent[0], far.events.hello]).toMatchObject([{ kind: 'return', id: 1 }, ['late']]);
  });

  test('all that comes after the end, but what is printed', async () => {
    const { far } = pair(victim());
    far.session.end(() => new Error('over'));
    for (const kind of Object.values(Kind)) far.link.deliver(frame(kind, 1, plain([]), HOME));
    expect(far.events).toMatchObject({ hello: [], closes: 0, disconnected: [] });
    expect(far.events.output.length).toBe(1);
    expect(far.link.sent).toEqual([]);
  });

  test('an answer with a strange number settles no call', async () => {
    const { near, remote } = pair(victim());
    let state = 'waiting';
    const settle = () => {
      state = 'settled';
    };
    remote.never().then(settle, settle);
    await remote.add(1, 1);
    for (const id of [...NO_NUMBERS, 77]) near.link.deliver(frame(Kind.return, id, plain(1)));
    await remote.add(1, 1);
    expect([state, near.session.inFlight]).toEqual(['waiting', 1]);
  });
});

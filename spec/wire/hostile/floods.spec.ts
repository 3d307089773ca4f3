import { describe, expect, test } from 'vitest';
import { CANCELLABLE, Kind, ONCE, PULLED } from '../../../lib/wire/frame/frame.ts';
import { pair, settled } from '../pair.ts';
import { attack, call, expectClosed, frame, live, many, plain, rich, victim } from './attack.ts';

const MILLION = 1_000_000;
const limits = { calls: 1_000, references: 5_000 };

describe('a peer that never ends stops at a bound', () => {
  test.each<[string, (i: number) => Buffer, string]>([
    ['results that it keeps', (i) => call(i, 'text', plain([]), 0), '5000 results'],
    ['calls that never end', (i) => call(i, 'never'), '1000 calls'],
    [
      'calls that never end and could be given up',
      (i) => call(i, 'never', plain([]), ONCE | CANCELLABLE),
      '1000 calls',
    ],
    [
      'references into it that are held',
      (i) => call(i, 'take', live('reference', -i), ONCE),
      '5000 references',
    ],
    ['signals', (i) => call(i, 'take', live('signal', -i), ONCE), '5000 signals'],
  ])('with %s', async (_name, make, message) => {
    expect(await expectClosed(many(MILLION, make), limits)).toContain(message);
  });

  test('with references that it never gives back, and its calls fail', async () => {
    const { far, cause } = await attack(
      many(6_000, (i) => call(i, 'object')),
      limits,
    );
    expect([cause, far.session.references.exports, far.link.count('throw')]).toEqual([
      undefined,
      5_000,
      1_000,
    ]);
  });

  test('with values of its own that it never gives', async () => {
    const { far, cause } = await attack(
      many(6_000, (i) => call(i, 'take', live('result', -i), ONCE)),
      limits,
    );
    expect(cause?.message).toContain('5000 references');
    expect(far.session.inFlight).toBeLessThanOrEqual(1_000);
  });

  test('with words that mean nothing, and nothing of them is kept', async () => {
    const { far } = await attack(
      many(100_000, (i) => frame([Kind.cancel, Kind.abort, Kind.part, Kind.return][i % 4]!, -i, plain(i))),
    );
    expect(far.session.references).toEqual({ exports: 0, imports: 0, streams: 0 });
  });
});

describe('what a peer promises and breaks ends nobody', () => {
  const broken: [string, Buffer][] = [
    ['that is why it gives a call up', frame(Kind.cancel, 1, rich([0], [[8, 'result', -1, false]]))],
    ['that is an error', frame(Kind.throw, 1, rich([0], [[8, 'result', -1, false]]))],
    ['that is the answer to no call', frame(Kind.return, 1, rich([0], [[8, 'result', -1, false]]))],
    ['that is its greeting', frame(Kind.hello, 0, rich([0], [[8, 'result', -1, false]]))],
    ['that nothing leads to', call(1, 'take', rich([0], [[0], [8, 'result', -1, false]]))],
    [
      'that is a key',
      call(
        1,
        'take',
        rich(
          [0],
          [
            [0, [1]],
            [3, [2], 1],
            [8, 'result', -1, false],
          ],
        ),
      ),
    ],
    [
      'in a message that can not be read',
      call(1, 'take', rich([0], [[0, [1]], [8, 'result', -1, false], [77]])),
    ],
  ];

  test.each(broken)('%s', async (_name, bytes) => {
    const { near, far } = pair(victim());
    far.link.hold();
    // Whoever asks for it is told that it failed; Vitest fails at a rejection that nobody handles.
    far.link.deliver(bytes);
    await settled();
    far.link.deliver(frame(Kind.throw, 1, plain('broken')));
    await settled();
    expect(far.session.inFlight).toBe(0);
    far.session.end(() => new Error('over'));
    await settled();
    expect(near.events.disconnected).toEqual([]);
  });
});

describe('what is too large to be told', () => {
  const long = 'x'.repeat(2_000);

  test.each<[string, number]>([
    ['as it is', 4_000],
    ['even in short', 400],
    ['at all', 20],
  ])('is told in the end, if an error does not fit %s', async (_name, frameSize) => {
    const { near, far } = pair({
      async fail() {
        throw new Error(long + long);
      },
    });
    far.session.limit({ frameSize });
    near.link.deliver(Buffer.alloc(0));
    far.link.deliver(call(1, 'fail', plain([]), ONCE | PULLED));
    await settled();
    expect(far.link.sent).toMatchObject([{ kind: 'throw', id: 1 }]);
  });

  test('fails its call, if it is a property name in it', async () => {
    const { far } = await attack([call(1, 'x'.repeat(255).slice(0, 200))], { frameSize: 100 });
    expect(far.link.sent).toMatchObject([{ kind: 'throw', id: 1 }]);
  });

  test('a call does not wait for ever for an answer that breaks the protocol', async () => {
    const { near, remote } = pair(victim());
    const outcome = remote.never().then(
      () => 'answered',
      (cause: Error) => cause.message,
    );
    await settled();
    near.link.deliver(frame(Kind.return, 1, rich([0], [[8, 'reference', -9, true]])));
    near.session.end(() => new Error('the link broke'));
    expect(await outcome).toBe('the link broke');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../lib/wire/errors.ts';
import { HEADER, Kind, MAX_FRAME, ONCE, PULLED } from '../../lib/wire/frame/frame.ts';
import { byReference } from '../../lib/wire/reference/reference.ts';
import { pair, rejection, settled } from './pair.ts';

const main = () => ({
  add: (a: number, b: number) => a + b,
  object: () => byReference({ a: () => 1 }),
  text: () => 'x',
});

const frame = (kind: number, id: number, rest: Uint8Array = new Uint8Array(), flags = 0, segments = 0) => {
  const bytes = Buffer.alloc(HEADER + 8 + rest.length);
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[4] = kind;
  bytes[5] = flags;
  bytes.writeUInt16LE(segments, 6);
  bytes.writeDoubleLE(id, HEADER);
  bytes.set(rest, HEADER + 8);
  return bytes;
};

const double = (value: number) => new Uint8Array(new Float64Array([value]).buffer);
const call = (id: number, target: number, flags: number, body = Buffer.from('\u0000[]')) =>
  frame(Kind.call, id, Buffer.concat([double(target), body]), flags);

/** Delivers bytes to the far session, beside another world, and gives what it told its owner. */
const attack = async (...messages: Buffer[]) => {
  const world = pair(main());
  const bystander = pair(main());
  for (const bytes of messages) world.far.link.deliver(bytes);
  await settled();
  expect(await bystander.remote.add(1, 1)).toBe(2);
  expect(world.far.events.disconnected.length).toBeLessThanOrEqual(1);
  return { ...world, cause: world.far.events.disconnected[0] };
};

describe('a peer that breaks the protocol loses its link, and nobody else anything', () => {
  test.each<[string, Buffer[]]>([
    ['an unknown kind of frame', [frame(99, 1)]],
    ['the kind zero', [frame(0, 1)]],
    ['a frame of no size', [Buffer.alloc(4)]],
    ['a frame shorter than a header', [Buffer.from([8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])]],
    ['a frame that is longer than what came', [frame(Kind.ping, 1).subarray(0, 12)]],
    ['a pull of what is not there', [frame(Kind.pull, 77)]],
    ['a pull of what was not a number', [frame(Kind.pull, Number.NaN)]],
    ['a release of what is not there', [frame(Kind.release, -5, double(1))]],
    ['a release of the main object', [frame(Kind.release, 0, double(1))]],
    ['a release without end', [frame(Kind.release, 0, double(Number.POSITIVE_INFINITY))]],
    ['a call of what is not there', [call(1, -9, ONCE | PULLED)]],
    ['a call of a result that is not there', [call(2, 1, ONCE | PULLED)]],
    ['the id of a kept call twice', [call(1, 0, 0), call(1, 0, 0)]],
    ['a kept call with the id of the main object', [call(0, 0, 0)]],
    ['a kept call with a negative id', [call(-1, 0, 0)]],
    [
      'a release of a kept call twice',
      [call(1, 0, 0), frame(Kind.release, 1, double(1)), frame(Kind.release, 1, double(1))],
    ],
  ])('for %s', async (_name, messages) => {
    const { near, far, cause } = await attack(...messages);
    expect(cause).toBeInstanceOf(ProtocolError);
    expect(cause).toMatchObject({ code: 'ERR_OFFSITE_PROTOCOL' });
    expect(far.link.destroyed && near.link.destroyed).toBe(true);
  });

  test('for a frame larger than the largest', async () => {
    const head = frame(Kind.ping, 1);
    head.writeUInt32LE(MAX_FRAME + 1, 0);
    expect((await attack(head)).cause).toBeInstanceOf(ProtocolError);
  });

  test('for giving a reference back twice that was given once', async () => {
    const world = pair(main());
    const held = await world.remote.object();
    expect(world.far.session.references.exports).toBe(1);
    world.far.link.deliver(frame(Kind.release, -1, double(1)));
    expect(world.far.session.references.exports).toBe(0);
    expect([held !== undefined, world.far.events.disconnected]).toEqual([true, []]);
    world.far.link.deliver(frame(Kind.release, -1, double(1)));
    expect(world.far.events.disconnected[0]).toBeInstanceOf(ProtocolError);
  });

  test('for a greeting that can not be read, with an error that says so', async () => {
    const { cause } = await attack(frame(Kind.hello, 0, Buffer.from([9])));
    expect(cause).toMatchObject({ code: 'ERR_OFFSITE_UNDECODABLE' });
  });

  test('and nothing that came behind the bad frame is looked at', async () => {
    const printed = Buffer.concat([frame(99, 1), frame(Kind.output, 0, Buffer.from('x'), 1)]);
    const { far } = await attack(printed);
    expect(far.events.output).toEqual([]);
  });

  test('and an owner that throws at what arrives loses the link with that error', async () => {
    const world = pair(main());
    const { endOf, memoryLinks } = await import('./pair.ts');
    const [link] = memoryLinks();
    const { session, events } = endOf('peer', undefined, link);
    Object.assign(events.hello, {
      push: () => {
        throw new Error('the owner fails');
      },
    });
    link.deliver(frame(Kind.hello, 0, Buffer.from('\u00001')));
    expect(events.disconnected).toMatchObject([{ message: 'the owner fails' }]);
    expect(session.inFlight).toBe(0);
    expect(await world.remote.add(1, 1)).toBe(2);
  });
});

describe('a peer that talks nonsense within the protocol', () => {
  test.each<[string, Buffer]>([
    ['an answer to no call', frame(Kind.return, 1234, Buffer.from('\u00001'))],
    ['an error for no call', frame(Kind.throw, -1, Buffer.from('\u00001'))],
    ['a pong for no ping', frame(Kind.pong, 3)],
    ['an answer to no call that can not be read', frame(Kind.return, 1234, Buffer.from([9, 9]))],
  ])('is not listened to: %s', async (_name, bytes) => {
    const { remote, cause } = await attack(bytes);
    expect(cause).toBeUndefined();
    expect(await remote.add(1, 1)).toBe(2);
  });

  test.each<[string, Buffer]>([
    ['arguments that can not be read', call(9, 0, ONCE | PULLED, Buffer.from([9]))],
    ['arguments that are no list', call(9, 0, ONCE | PULLED, Buffer.from('\u00007'))],
    ['no arguments at all', call(9, 0, ONCE | PULLED, Buffer.alloc(0))],
    ['a call of the main object', call(9, 0, ONCE | PULLED)],
  ])('gets an error for its call, and no more: %s', async (_name, bytes) => {
    const { far, remote, cause } = await attack(bytes);
    expect(cause).toBeUndefined();
    expect(far.link.sent).toMatchObject([{ kind: 'throw', id: 9 }]);
    expect(await remote.add(1, 1)).toBe(2);
  });

  test('can not make a local call settle by an answer with a strange number', async () => {
    const { near, remote } = pair({ never: () => new Promise(() => {}) });
    const waiting = remote.never().then(
      () => 'settled',
      () => 'settled',
    );
    await settled();
    for (const id of [0, -1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      near.link.deliver(frame(Kind.return, id, Buffer.from('\u00001')));
    }
    expect(await Promise.race([waiting, settled().then(() => 'waiting')])).toBe('waiting');
    expect(near.session.inFlight).toBe(1);
  });
});

describe('random bytes', () => {
  /** Delivers them; never throws out of `receive`, whatever they do to the link. */
  const survive = (bytes: Uint8Array) => {
    const { far } = pair(main());
    expect(() => far.link.deliver(Buffer.from(bytes))).not.toThrow();
    for (const cause of far.events.disconnected) expect(cause).toBeInstanceOf(Error);
  };

  test('close their link or nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survive), { numRuns: 500 });
  });

  test('in frames of right sizes close their link or nothing', () => {
    const part = fc.record({
      kind: fc.integer({ min: 0, max: 12 }),
      flags: fc.nat(255),
      segments: fc.oneof(fc.nat(3), fc.nat(65_535)),
      id: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()),
      rest: fc.uint8Array({ maxLength: 60 }),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) =>
        survive(
          Buffer.concat(
            parts.map(({ kind, flags, segments, id, rest }) => frame(kind, id, rest, flags, segments)),
          ),
        ),
      ),
      { numRuns: 1_000 },
    );
  });

  test('in place of some of a real call close their link or fail that call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const world = pair(main());
          const recorded: Buffer[] = [];
          const { send } = world.near.link;
          world.near.link.send = (bytes) => {
            recorded.push(Buffer.from(bytes));
            return send.call(world.near.link, bytes);
          };
          await Promise.all([
            world.remote.add(1, 2),
            world.remote.object().a,
            rejection(world.remote.text(1n).x.y),
          ]);
          const damaged = Buffer.concat(recorded);
          for (const [at, to] of changes) damaged[at % damaged.length] = to;
          survive(damaged);
        },
      ),
      { numRuns: 200 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pair, rejection } from '../pair.ts';
import { announced, double, frame, live, victim as main, rich } from './attack.ts';

describe('random bytes', () => {
  /** Delivers them; never throws out of `receive`, whatever they do to the link. */
  const survive = (bytes: Uint8Array) => {
    const { far } = pair(main());
    // What it asks of the other side is never answered.
    far.link.hold();
    expect(() => far.link.deliver(Buffer.from(bytes))).not.toThrow();
    for (const cause of far.events.disconnected) {
      expect((cause as { code?: string }).code).toMatch(/^ERR_OFFSITE_(PROTOCOL|UNDECODABLE)$/);
    }
    far.session.end(() => new Error('over'));
    expect([far.session.inFlight, far.session.references]).toEqual([
      0,
      { exports: 0, imports: 0, streams: 0 },
    ]);
  };

  test('close their link or nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survive), { numRuns: 500 });
  });

  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => Buffer.from(`\u0000${text}`)),
    fc.array(fc.jsonValue(), { maxLength: 4 }).map((graph) => rich(...graph)),
    fc
      .tuple(
        fc.constantFrom(
          'reference',
          'result',
          'signal',
          'aborted',
          'iterable',
          'readable',
          'writable',
          'transform',
        ),
        fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()),
        fc.boolean(),
      )
      .map((record) => live(...record)),
    fc.tuple(fc.integer({ min: -3, max: 1 }), fc.nat(99)).map((place) => announced(...place)),
  );
  const name = fc.constantFrom('add', 'object', 'items', 'writable', 'never', 'take', '__proto__', 'then');
  const rest = fc.oneof(
    body,
    fc.double().map((value) => double(value)),
    fc
      .tuple(fc.constantFrom(0, 0, 0, -1, 1, 2), name, body)
      .map(([to, key, args]) =>
        Buffer.concat([double(to), Buffer.from([key.length, 0]), Buffer.from(key), args]),
      ),
  );

  test('in frames of right sizes close their link or nothing', () => {
    const part = fc.record({
      kind: fc.integer({ min: 0, max: 20 }),
      flags: fc.oneof(fc.nat(63), fc.nat(255)),
      segments: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(65_535)),
      id: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()),
      rest,
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) =>
        survive(
          Buffer.concat(
            parts.map(({ kind, flags, segments, id, rest }) => frame(kind, id, rest, flags, segments)),
          ),
        ),
      ),
      { numRuns: 3_000 },
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

import { expect } from 'vitest';
import { ProtocolError } from '../../../lib/wire/errors.ts';
import { HEADER, Kind, ONCE, PULLED } from '../../../lib/wire/frame/frame.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../lib/wire/limits.ts';
import { byReference } from '../../../lib/wire/reference/reference.ts';
import { pair, settled } from '../pair.ts';

/** What a peer may call that means harm. */
export const victim = () => ({
  add: (a: number, b: number) => a + b,
  object: () => byReference({ a: () => 1 }),
  text: () => 'x',
  never: () => new Promise(() => {}),
  take: (value: unknown) => typeof value,
  async *items() {
    yield 1;
    await new Promise(() => {});
  },
  writable: () => new WritableStream({}),
});

/** A frame that may be as wrong as one likes. */
export const frame = (
  kind: number,
  id: number,
  rest: Uint8Array = new Uint8Array(),
  flags = 0,
  segments = 0,
): Buffer => {
  const bytes = Buffer.alloc(HEADER + 8 + rest.length);
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[4] = kind;
  bytes[5] = flags;
  bytes.writeUInt16LE(segments, 6);
  bytes.writeDoubleLE(id, HEADER);
  bytes.set(rest, HEADER + 8);
  return bytes;
};

export const double = (value: number): Uint8Array => new Uint8Array(new Float64Array([value]).buffer);

/** The body of a plain value. */
export const plain = (value: unknown): Buffer => Buffer.from(`\u0000${JSON.stringify(value)}`);

/** The body of a graph. */
export const rich = (...graph: unknown[]): Buffer => {
  const text = Buffer.from(JSON.stringify(graph));
  return Buffer.concat([Buffer.from([1]), double(text.length), text]);
};

/** A list of one value that lives with the peer. */
export const live = (kind: string, id: unknown, home = false): Buffer =>
  rich(
    [0],
    [
      [0, [1]],
      [8, kind, id, home],
    ],
  );

/** A list of bytes that come in parts. */
export const announced = (number: number, size: unknown): Buffer =>
  rich(
    [0],
    [
      [0, [1]],
      [7, 'ArrayBuffer', 0],
    ],
    [[number, size]],
  );

/** A call of what the main object has under a name. */
export const call = (
  id: number,
  name: string | undefined,
  body = plain([]),
  flags = ONCE | PULLED,
  target = 0,
) => {
  const path = name === undefined ? [] : [Buffer.from([name.length, 0]), Buffer.from(name)];
  return frame(Kind.call, id, Buffer.concat([double(target), ...path, body]), flags, path.length / 2);
};

/** Delivers bytes to the far session, beside another world that must not notice, and gives what became of it. */
export const attack = async (messages: Iterable<Buffer>, limits?: Partial<Limits>) => {
  const world = pair(victim());
  if (limits) world.far.session.limit({ ...DEFAULT_LIMITS, ...limits });
  const bystander = pair(victim());
  for (const bytes of messages) {
    world.far.link.deliver(bytes);
    if (world.far.link.destroyed) break;
  }
  await settled();
  expect(await bystander.remote.add(1, 1)).toBe(2);
  expect(world.far.events.disconnected.length).toBeLessThanOrEqual(1);
  return { ...world, cause: world.far.events.disconnected[0] };
};

/** Expects that the link was closed for what came, and that the session's tables are empty after its end. */
export const expectClosed = async (messages: Iterable<Buffer>, limits?: Partial<Limits>): Promise<string> => {
  const { near, far, cause } = await attack(messages, limits);
  expect(cause).toBeInstanceOf(ProtocolError);
  expect(cause).toMatchObject({ code: 'ERR_OFFSITE_PROTOCOL' });
  expect(far.link.destroyed && near.link.destroyed).toBe(true);
  far.session.end(() => new Error('over'));
  expect([far.session.inFlight, far.session.references]).toEqual([0, { exports: 0, imports: 0, streams: 0 }]);
  return cause!.message;
};

/** Expects that the link lives on, and that calls go on as if nothing had come. */
export const expectIgnored = async (messages: Iterable<Buffer>) => {
  const world = await attack(messages);
  expect(world.cause).toBeUndefined();
  expect(await world.remote.add(1, 1)).toBe(2);
  return world;
};

/** The same thing many times, made one by one. */
export function* many(count: number, make: (i: number) => Buffer): Generator<Buffer> {
  for (let i = 1; i <= count; i++) yield make(i);
}

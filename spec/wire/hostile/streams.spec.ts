import { describe, expect, test } from 'vitest';
import { CUT, HOME, Kind, ONCE, PULLED } from '../../../lib/wire/frame/frame.ts';
import { settled } from '../pair.ts';
import {
  announced,
  attack,
  call,
  double,
  expectClosed,
  expectIgnored,
  frame,
  live,
  many,
  plain,
  rich,
} from './attack.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
/** The victim's first stream, which the peer reads, and the one which it writes. */
const items = call(1, 'items');
const writable = call(1, 'writable');
/** A stream of the peer's own, under -1. */
const opened = (kind: string) => call(1, 'take', live(kind, -1));

describe('of streams a peer loses its link', () => {
  test.each<[string, Buffer[]]>([
    ['for an item of what was never given out', [frame(Kind.chunk, -1, plain(1))]],
    ['for an end of what was never given out', [frame(Kind.end, -1, plain(1), HOME)]],
    ['for a failure under no number', [frame(Kind.fail, nan, plain(1))]],
    ['for credit for what was never given out', [frame(Kind.credit, -2, double(1), HOME)]],
    ['for a stop of what was never given out', [frame(Kind.stop, 0.5, plain(1), HOME)]],
    ['for an item into what it reads', [items, frame(Kind.chunk, -1, plain(1), HOME)]],
    ['for an end of what it reads', [items, frame(Kind.end, -1, plain(1), HOME)]],
    ['for asking for what it writes', [writable, frame(Kind.credit, -1, double(9), HOME)]],
    ['for asking for its own items', [opened('readable'), frame(Kind.credit, -1, double(9))]],
    ['for credit that it does not name', [items, frame(Kind.credit, -1, Buffer.alloc(0), HOME)]],
    [
      'for credit that stands in the next frame',
      [items, Buffer.concat([frame(Kind.credit, -1, Buffer.alloc(7), HOME), frame(Kind.ping, 1)])],
    ],
    ['for items that nobody asked for', [opened('readable'), frame(Kind.chunk, -1, plain(1))]],
    [
      'for writing on after the end',
      [writable, frame(Kind.end, -1, plain(1), HOME), frame(Kind.chunk, -1, plain(1), HOME)],
    ],
    [
      'for ending what it writes twice',
      [writable, frame(Kind.end, -1, plain(1), HOME), frame(Kind.end, -1, plain(1), HOME)],
    ],
    ['for opening one twice', [opened('iterable'), call(2, 'take', live('iterable', -1))]],
    ['for one of an id of the other side', [call(1, 'take', live('writable', 5))]],
  ])('%s', async (_name, messages) => {
    await expectClosed(messages);
  });

  test.each([nan, infinity, -1, 0, 0.5, 2 ** 20 + 1, 2 ** 53])('for credit of %d bytes', async (bytes) => {
    await expectClosed([items, frame(Kind.credit, -1, double(bytes), HOME)]);
  });

  test('for more credit than a window, given bit by bit', async () => {
    await expectClosed([writable, ...many(3, () => frame(Kind.credit, -1, double(2 ** 19), HOME))]);
  });

  test('for more items than fit behind one that never becomes whole', async () => {
    const waits = frame(Kind.chunk, -1, announced(-1, 1000), HOME);
    const message = await expectClosed([
      writable,
      waits,
      ...many(100_000, () => frame(Kind.chunk, -1, plain('small'), HOME)),
    ]);
    expect(message).toContain('behind an item');
  });

  test('for more ends than one can have, behind an item that never becomes whole', async () => {
    const waits = frame(Kind.chunk, -1, announced(-1, 1000), HOME);
    await expectClosed([writable, waits, ...many(9, () => frame(Kind.end, -1, plain(1), HOME))]);
  });

  test('for opening more than the limit, and they are all ended', async () => {
    const open = many(10_001, (i) => call(i, 'never', live('writable', -i)));
    expect(await expectClosed(open)).toContain('10000 streams');
  });
});

describe('of streams a peer may say', () => {
  test('what comes too late for one that was ended', async () => {
    const late = [Kind.credit, Kind.stop].map((kind) => frame(kind, -1, double(9), HOME));
    await expectIgnored([items, frame(Kind.stop, -1, plain('enough'), HOME), ...late]);
  });

  test('things that can not be read, and the stream fails', async () => {
    const { far } = await expectIgnored([writable, frame(Kind.chunk, -1, Buffer.from([9]), HOME)]);
    expect(far.link.sent.at(-2)).toMatchObject({ kind: 'stop', id: -1 });
  });
});

describe('of what comes in parts', () => {
  const whole = (id: number) => frame(Kind.part, id, Buffer.alloc(100));

  test.each<[string, Buffer[]]>([
    [
      'two messages with the same number',
      [call(1, 'take', announced(-1, 9)), call(2, 'take', announced(-1, 9))],
    ],
    ['more than was announced', [call(1, 'take', announced(-1, 99)), whole(-1)]],
    ['more than was announced, bit by bit', [call(1, 'take', announced(-1, 150)), whole(-1), whole(-1)]],
  ])('%s cost the link', async (_name, messages) => {
    await expectClosed(messages);
  });

  test.each<[string, Buffer]>([
    ['a size of half a byte', announced(-1, 0.5)],
    ['a size below zero', announced(-1, -1)],
    ['a size that is text', announced(-1, '9')],
    ['more than fits anywhere', announced(-1, 2 ** 53)],
    ['more than may be announced', announced(-1, 2 ** 30 + 1)],
    ['a number that is none', announced(-1.5, 9)],
    ['what should lie beside and does not', announced(3, 9)],
    ['arguments that are not a list, but as long as they say', plain({ length: 4_294_967_295 })],
    ['arguments with more holes than a stack takes', rich([0], [[1, 4_294_967_295]])],
  ])('fails its call alone: %s', async (_name, body) => {
    const { far } = await expectIgnored([call(1, 'take', body)]);
    expect(far.link.sent[0]).toMatchObject({ kind: 'throw', id: 1 });
  });

  test('a million announcements of a byte each are not all kept', async () => {
    const { far } = await attack(
      many(2_000, (i) => call(i, 'take', announced(-i, 1))),
      {
        messageSize: 4096 * 1_000,
      },
    );
    expect(far.link.count('throw')).toBe(1_000);
    expect(far.session.references).toEqual({ exports: 0, imports: 0, streams: 0 });
  });

  test('what never comes holds up its own call, and ends with the session', async () => {
    const { far } = await attack([
      call(1, 'take', announced(-1, 2 ** 29)),
      call(2, 'text'),
      call(3, 'object', plain([]), 0),
      call(4, 'a', plain([]), ONCE | PULLED, 3),
    ]);
    expect(far.link.sent).toEqual([]);
    far.link.deliver(frame(Kind.part, -1, Buffer.alloc(0), CUT));
    await settled();
    expect(far.link.sent.map(({ kind, id }) => [kind, id])).toEqual([
      ['throw', 1],
      ['return', 2],
      ['return', 4],
    ]);
  });
});

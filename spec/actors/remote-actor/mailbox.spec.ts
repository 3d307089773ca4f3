import { expect, test } from 'vitest';
import type { DeadLetter } from '../../../actors/remote-actor/dead-letters.ts';
import { Mailbox } from '../../../actors/remote-actor/mailbox.ts';

/** A way in that notes what comes, and answers when it is told to. */
const inlet = () => {
  const batches: { number: number; events: readonly unknown[] }[] = [];
  const answers: { resolve(taken: number): void; reject(cause: unknown): void }[] = [];
  const deliver = (number: number, events: readonly unknown[]) => {
    batches.push({ number, events });
    return new Promise<number>((resolve, reject) => answers.push({ resolve, reject }));
  };
  return { batches, answers, deliver };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the events of a turn leave in one call, and many of them in several', async () => {
  const way = inlet();
  const mailbox = new Mailbox({ id: 'a', site: 's' }, way);
  mailbox.post({ type: 'one' });
  mailbox.post({ type: 'two' });
  expect(way.batches).toEqual([]);
  await turn();
  expect(way.batches).toEqual([{ number: 0, events: [{ type: 'one' }, { type: 'two' }] }]);
  for (let i = 0; i < 600; i++) mailbox.post({ type: 'many' });
  await turn();
  expect(way.batches.map(({ number, events }) => [number, events.length])).toEqual([
    [0, 2],
    [1, 256],
    [2, 256],
    [3, 88],
  ]);
});

test('only so many events wait, and each acknowledgement makes room', async () => {
  const way = inlet();
  const mailbox = new Mailbox({ id: 'a', site: 's' }, way, 2);
  mailbox.post({ type: 'one' });
  mailbox.post({ type: 'two' });
  expect(() => mailbox.post({ type: 'three' })).toThrow(
    expect.objectContaining({ code: 'ERR_OFFSITE_MAILBOX', bound: 2 }),
  );
  await turn();
  expect(() => mailbox.post({ type: 'three' })).toThrow('its mailbox takes no more');
  way.answers[0]!.resolve(2);
  await turn();
  mailbox.post({ type: 'three' });
  await turn();
  expect(way.batches.at(-1)).toEqual({ number: 1, events: [{ type: 'three' }] });
});

test('what was not taken is told, and a call that failed on the way holds up none behind it', async () => {
  const way = inlet();
  const letters: DeadLetter[] = [];
  const mailbox = new Mailbox(
    { id: 'a', site: 's', onDeadLetter: (letter) => letters.push(letter) },
    way,
    10,
  );
  mailbox.post({ type: 'one' });
  mailbox.post({ type: 'two' });
  await turn();
  way.answers[0]!.resolve(1);
  mailbox.post({ type: 'date', at: new Date(0) } as { type: string });
  const cause = new Error('It can not be read there.');
  way.answers[1]!.reject(cause);
  await turn();
  expect(letters.map(({ events, error }) => [events, error.cause])).toEqual([
    [[{ type: 'two' }], undefined],
    [[{ type: 'date', at: new Date(0) }], cause],
  ]);
  expect(way.batches.at(-1)).toEqual({ number: 1, events: [] });
});

test('when its owner has stopped the actor, what was not taken is nobody’s loss', async () => {
  const way = inlet();
  const letters: DeadLetter[] = [];
  const mailbox = new Mailbox({ id: 'a', site: 's', onDeadLetter: (letter) => letters.push(letter) }, way);
  mailbox.post({ type: 'one' });
  mailbox.close();
  expect(way.batches).toHaveLength(1);
  way.answers[0]!.reject(new Error('gone'));
  await turn();
  expect(letters).toEqual([]);
});

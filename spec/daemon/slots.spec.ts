import { describe, expect, test } from 'vitest';
import { type Slot, Slots } from '../../lib/daemon/slots.ts';
import { rejection } from '../support/sites.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const { signal } = new AbortController();

describe('Slots', () => {
  test('are given while some are free, and then refused or waited for', async () => {
    let changes = 0;
    const slots = new Slots(1, () => changes++);
    const first = await slots.take({ user: 'ada', waits: false, signal });
    expect(slots.free).toBe(0);
    expect(await slots.take({ user: 'bob', waits: false, signal })).toBeUndefined();
    const second = slots.take({ user: 'bob', waits: true, signal });
    await settle();
    expect(slots.waiting).toBe(1);
    first!();
    // Once only: the slot is Bob's by now.
    first!();
    expect(await second).toBeTypeOf('function');
    expect(slots.holders()).toEqual([{ user: 'bob', count: 1 }]);
    expect(slots.free).toBe(0);
    expect(changes).toBe(3);
  });

  test('go to the user who has the fewest, then to whose turn is longest ago, then to the first', async () => {
    const slots = new Slots(3, () => {});
    const held: Slot[] = [];
    for (const user of ['ada', 'ada', 'bob']) held.push((await slots.take({ user, waits: false, signal }))!);
    const order: string[] = [];
    const wait = (user: string, name: string) =>
      slots.take({ user, waits: true, signal }).then((slot) => {
        order.push(name);
        held.push(slot!);
      });
    const all = [
      wait('ada', 'ada 1'),
      wait('ada', 'ada 2'),
      wait('bob', 'bob 1'),
      wait('cyd', 'cyd 1'),
      wait('cyd', 'cyd 2'),
    ];
    // Ada's go first; whose was given back has the fewest then, beside Cyd who never had one.
    for (let turn = 0; turn < 5; turn++) {
      held.shift()!();
      await settle();
    }
    await Promise.all(all);
    expect(order).toEqual(['cyd 1', 'ada 1', 'bob 1', 'cyd 2', 'ada 2']);
  });

  test('are taken in turns by users who have as many', async () => {
    const slots = new Slots(1, () => {});
    let held = (await slots.take({ user: 'ada', waits: false, signal }))!;
    const order: string[] = [];
    const all = ['ada', 'ada', 'bob', 'bob', 'cyd'].map(async (user) => {
      held = (await slots.take({ user, waits: true, signal }))!;
      order.push(user);
    });
    for (let turn = 0; turn < 5; turn++) {
      held();
      await settle();
    }
    await Promise.all(all);
    expect(order).toEqual(['bob', 'cyd', 'ada', 'bob', 'ada']);
  });

  test('who gives up, or is sent away, waits no longer and takes none', async () => {
    const slots = new Slots(0, () => {});
    const up = new AbortController();
    const first = rejection(slots.take({ user: 'ada', waits: true, signal: up.signal }));
    const second = rejection(slots.take({ user: 'bob', waits: true, signal }));
    up.abort('enough');
    expect(await first).toBe('enough');
    slots.refuseWaiters('closed');
    expect(await second).toBe('closed');
    slots.resize(1);
    expect([slots.free, slots.waiting]).toEqual([1, 0]);
  });

  test('fewer of them are none that are taken away', async () => {
    const slots = new Slots(2, () => {});
    const [one, two] = [
      await slots.take({ user: 'ada', waits: false, signal }),
      await slots.take({ user: 'ada', waits: false, signal }),
    ];
    slots.resize(1);
    expect([slots.held, slots.free]).toEqual([2, 0]);
    const third = slots.take({ user: 'ada', waits: true, signal });
    one!();
    await settle();
    expect(slots.waiting).toBe(1);
    two!();
    await third;
    expect(slots.held).toBe(1);
  });
});

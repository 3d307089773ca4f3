import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { byReference, RemoteTarget } from '../../lib/wire/reference/reference.ts';
import { type Anything, endOf, type MemoryLink, memoryLinks, pair, rejection, settled } from './pair.ts';
import { service } from './service.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const calls = (link: MemoryLink) => link.count('call');

describe('a reference', () => {
  test('to a function lets the other side call back', async () => {
    const { remote } = pair(service());
    expect(await remote.apply((value: number) => value * 2, 21)).toBe(42);
    expect(await remote.apply(async (value: number) => value + 1, 1)).toBe(2);
    expect(
      await rejection(
        remote.apply(() => {
          throw new TypeError('from the callback');
        }, 1),
      ),
    ).toMatchObject({ name: 'TypeError', message: 'from the callback' });
  });

  test('lets a callback call again before it answers', async () => {
    const { remote } = pair(service());
    expect(await remote.apply((value: number) => remote.add(value, 100), 1)).toBe(101);
  });

  test('that comes home is the original', async () => {
    const { remote } = pair(service());
    const callback = () => 1;
    const marked = byReference({ a: 1 });
    class Account extends RemoteTarget {}
    const account = new Account();
    expect(await remote.echo(callback)).toBe(callback);
    expect(await remote.echo([marked, { account }])).toEqual([marked, { account }]);
    const [first, second] = await remote.echo([marked, account]);
    expect(first === marked && second === account).toBe(true);
  });

  test('that is sent back is the original over there', async () => {
    const { remote } = pair(service());
    const counter = await remote.counter(0);
    expect(await remote.same(counter, counter)).toBe(true);
    expect(await remote.same(await remote.counter(0), counter)).toBe(false);
  });

  test('to plain data that was marked is no copy of it', async () => {
    const settings = byReference({ unit: 'm' });
    const { remote } = pair({
      settings: () => settings,
      change: () => {
        settings.unit = 'km';
      },
    });
    const held = await remote.settings();
    await remote.change();
    expect(await held.unit).toBe('km');
  });

  test('to the same value is the same proxy as long as that is held', async () => {
    const shared = byReference({ a: () => 1 });
    const { remote } = pair({ get: () => shared });
    expect(await remote.get()).toBe(await remote.get());
  });

  test('is constructed, keeps its state over there, and is usable before it arrived', async () => {
    const { near, remote } = pair(service());
    expect(await new remote.Counter(41).add(1)).toBe(42);
    expect([near.link.sends, calls(near.link)]).toEqual([1, 2]);
    const counter = await new remote.Counter(5);
    expect([await counter.add(1), await counter.add(1)]).toEqual([6, 7]);
    expect(await counter.value).toBe(7);
    expect(await new (await remote.Counter)(1).add(1)).toBe(2);
  });

  test('is no promise, so that awaiting it gives itself', async () => {
    const { remote } = pair(service());
    const counter = await remote.counter(1);
    expect(await counter).toBe(counter);
  });

  test('of a third site passes through, and calls find their way', async () => {
    // near — middle — far: what far gives, near uses through middle, and back.
    const [middleLink, farLink] = memoryLinks();
    const far = endOf('middle', service(), farLink);
    const toFar = endOf('far', undefined, middleLink);
    const farMain = toFar.session.main as Anything;
    const { remote } = pair({
      counter: (start: number) => farMain.counter(start),
      apply: (callback: unknown, value: number) => farMain.apply(callback, value),
      echo: (value: unknown) => farMain.echo(value),
      fail: () => farMain.fail(),
    });
    const counter = await remote.counter(40);
    expect(await counter.add(2)).toBe(42);
    expect(await remote.counter(1).next().add(1)).toBe(3);
    expect(await remote.apply((value: number) => value * 2, 4)).toBe(8);
    const callback = () => 1;
    expect(await remote.echo(callback)).toBe(callback);
    expect(await rejection(remote.fail())).toMatchObject({ name: 'RangeError', site: 'far' });
    expect(far.events.disconnected).toEqual([]);
  });

  test('is given back when nobody here can use it any more', async () => {
    const { near, far, remote } = pair(service());
    await remote.apply(() => 1, 1);
    for (let i = 0; i < 20; i++) await (await remote.counter(i)).add(1);
    remote.counter(1);
    while (far.session.references.exports + near.session.references.exports > 0) {
      gc();
      await settled();
    }
    expect([near.session.references, far.session.references]).toEqual([
      { exports: 0, imports: 0, streams: 0 },
      { exports: 0, imports: 0, streams: 0 },
    ]);
  });
});

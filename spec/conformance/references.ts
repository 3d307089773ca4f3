import { describe, expect, test } from 'vitest';
import { byReference, RemoteTarget, release } from '../../lib/index.ts';
import { collectedUntil, type Lines } from '../support/lines.ts';
import { rejection } from '../support/sites.ts';

class Clerk extends RemoteTarget {
  readonly done: string[] = [];
  work(what: string): number {
    return this.done.push(what);
  }
}

/** How many references pass in all through one line that allows only some of them at once. */
const PASSING = { batch: 500, allowed: 600, total: 20_000, totalInThread: 1_000_000 };

/** What stays where it is and is reached from another realm. */
export function references(lines: Lines): void {
  const remote = async () => (await lines.shared()).remote;

  describe('references', () => {
    test('a callback is called with values and references, and gives them', async () => {
      const wire = await remote();
      expect(await wire.call((a: number, b: number) => a + b, 1, 2)).toBe(3);
      const inner = (await wire.call(() => (name: string) => `inner ${name}`)) as (name: string) => string;
      expect(inner('x')).toBe('inner x');
      const account = await wire.account(1);
      expect(await wire.call(async (held: typeof account) => held.add(1), account)).toBe(2);
    });

    test('an object that was marked is reached and not copied, in both directions', async () => {
      const wire = await remote();
      const settings = byReference({ unit: 'm', change: (unit: string) => (settings.unit = unit) });
      expect(await wire.echo(settings)).toBe(settings);
      await wire.setUnit('km');
      const theirs = (await wire.options) as unknown as { readonly unit: Promise<string> };
      expect(await theirs.unit).toBe('km');
      await wire.setUnit('m');
      expect(await theirs.unit).toBe('m');
    });

    test('an instance of a RemoteTarget keeps its state where it was made', async () => {
      const wire = await remote();
      const clerk = new Clerk();
      await wire.hold(clerk);
      await wire.letGo();
      expect(await wire.echo({ deep: [clerk] })).toEqual({ deep: [clerk] });
      const account = await wire.account(40);
      expect(await account.add(2)).toBe(42);
      expect(await (account as unknown as { readonly balance: Promise<number> }).balance).toBe(42);
      expect(await rejection(account.refuse())).toBeInstanceOf(RangeError);
    });

    test('what goes home is the original, and what comes twice is one proxy', async () => {
      const wire = await remote();
      const callback = () => 1;
      expect(await wire.echo(callback)).toBe(callback);
      const account = await wire.account();
      expect(await wire.same(account, account)).toBe(true);
      expect(await wire.same(account, await wire.account())).toBe(false);
      expect(await wire.echo(account)).toBe(account);
    });

    test('a reference is used before it has arrived, also as an argument', async () => {
      const wire = await remote();
      expect(await wire.account(1).add(1)).toBe(2);
      expect(await wire.add(wire.add(1, 2) as unknown as number, 3)).toBe(6);
      const account = wire.account(5);
      expect(await wire.same(account, account)).toBe(true);
      const failing = wire.add((wire as unknown as { missing(): number }).missing(), 1);
      expect((await rejection(failing)).message).toMatch(/missing is not a function/);
    });

    test('a third site is called through the one that is known, and its errors arrive', async () => {
      const wire = await remote();
      const below = await wire.siteBelow();
      expect(await below.add(1, 2)).toBe(3);
      expect(await wire.siteBelow().account(1).add(1)).toBe(2);
      const error = await rejection(below.farAway(3));
      expect(error).toMatchObject({ name: 'FarAwayError', distance: 3 });
      expect(error.site).toBe((await lines.shared()).name);
    });

    test('a callback works through a third site, and whatever went through several comes home as itself', async () => {
      const wire = await remote();
      const below = await wire.siteBelow();
      const doubled = (value: number) => value * 2;
      expect(await below.call(doubled, 21)).toBe(42);
      expect(await below.echo(doubled)).toBe(doubled);
      const account = await below.account(1);
      expect(await wire.echo(account)).toBe(account);
      expect(await below.same(account, await wire.echo(account))).toBe(true);
      expect(await below.echo({ deep: [account, doubled] })).toEqual({ deep: [account, doubled] });
      expect(await wire.call(async (held: typeof account) => held.add(1), account)).toBe(2);
    });

    test('what was released can not be called any more, and is free over there', async () => {
      const { remote: wire } = await lines.own();
      const [account, other] = [await wire.account(1), await wire.account(2)];
      expect(await wire.collectedAccounts()).toBe(0);
      release(account);
      const error = await rejection(account.add(1));
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_RELEASED' });
      await collectedUntil(async () => (await wire.collectedAccounts()) === 1);
      expect(await other.add(1)).toBe(3);
      release(account);
      expect(await other.add(1)).toBe(4);
    });

    test('a block that uses one gives it back at its end', async () => {
      const { remote: wire } = await lines.own();
      let kept: { add(by: number): PromiseLike<number> };
      {
        using account = (await wire.account(1)) as unknown as Disposable & typeof kept;
        kept = account;
        expect(await account.add(1)).toBe(2);
      }
      expect(await rejection(kept.add(1))).toMatchObject({ code: 'ERR_OFFSITE_RELEASED' });
      await collectedUntil(async () => (await wire.collectedAccounts()) === 1);
    });

    test('what nobody here holds any more is free over there', async () => {
      const { remote: wire } = await lines.own();
      for (let count = 0; count < 5; count++) await wire.account().add(1);
      await (async () => {
        for (const account of await wire.accounts(20)) await account.add(1);
      })();
      await collectedUntil(async () => (await wire.collectedAccounts()) === 25);
    });

    test('the end of the other realm frees all it held here, and wakes whoever waits for it', async () => {
      const line = await lines.own();
      const { remote: wire } = line;
      const held = await (async () => {
        const callback = Object.assign(() => 1, { large: new Uint8Array(1_000) });
        await wire.hold(callback);
        return new WeakRef(callback);
      })();
      const account = await wire.account();
      const waiting = [wire.never(), wire.untilGivenUp(() => new Promise(() => {})), wire.account().add(1)];
      const items = await wire.waitingAfter(1);
      expect(await items.next()).toEqual({ value: 0, done: false });
      const errors = Promise.all([wire.never(), ...waiting.slice(0, 1), items.next()].map(rejection));
      await line.kill();
      for (const error of await errors) expect(error).toMatchObject({ code: 'ERR_OFFSITE_CRASHED' });
      expect(await rejection(account.add(1))).toMatchObject({
        code: 'ERR_OFFSITE_CRASHED',
        mayHaveRun: false,
      });
      expect(line.inFlight).toBe(0);
      await collectedUntil(() => held.deref() === undefined);
    });

    test('as many as ever pass through a line, if only so many are held at once as it allows', async () => {
      const { batch, allowed } = PASSING;
      const total = lines.sharesMemory ? PASSING.totalInThread : PASSING.total;
      const { remote: wire } = await lines.own({ references: allowed });
      // What is left in a table would end this long before its end, because it takes no more than a few.
      for (let passed = 0; passed < total; passed += 2 * batch) {
        for (const account of await wire.accounts(batch)) release(account);
        await wire.releaseAll(Array.from({ length: batch }, () => () => passed));
      }
      const held = await wire.accounts(allowed - 10);
      await wire.hold(...Array.from({ length: allowed - 10 }, () => () => 1));
      const error = await rejection(wire.accounts(20));
      expect(error).toMatchObject({ code: 'ERR_OFFSITE_REFERENCES', limit: 'references', bound: allowed });
      expect(await rejection(wire.hold(...Array.from({ length: 20 }, () => () => 1)))).toMatchObject({
        code: 'ERR_OFFSITE_REFERENCES',
      });
      for (const account of held) release(account);
      expect(await wire.accounts(20)).toHaveLength(20);
    });
  });
}

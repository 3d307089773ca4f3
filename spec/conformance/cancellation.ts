import { describe, expect, test } from 'vitest';
import { withOptions } from '../../lib/index.ts';
import { collectedUntil, type Lines, signalled } from '../support/lines.ts';
import { rejection } from '../support/sites.ts';

/** A callback for `untilGivenUp`: tells when it runs, and why it was given up. */
const watch = () => {
  const [running, givenUp] = [signalled<[]>(), signalled<[unknown]>()];
  const tell = (what: string, reason?: unknown) => {
    if (what === 'running') running.tell();
    else givenUp.tell(what === 'given up' ? reason : new Error(what));
  };
  return { tell, running: running.told, givenUp: givenUp.told.then(([reason]) => reason as Error) };
};

/** Signals in arguments, and calls that are given up. */
export function cancellation(lines: Lines): void {
  const remote = async () => (await lines.shared()).remote;

  describe('signals', () => {
    test('one in an argument is aborted over there with its reason, and the caller waits for its answer', async () => {
      const wire = await remote();
      const controller = new AbortController();
      const started = signalled();
      const answer = wire.reasonOf({ signal: controller.signal }, started.tell).then((reason) => reason);
      await started.told;
      controller.abort(new RangeError('enough of it'));
      const reason = await answer;
      expect(reason).toBeInstanceOf(RangeError);
      expect(reason).toMatchObject({ message: 'enough of it' });
    });

    test('without a reason it has the same one as here', async () => {
      const wire = await remote();
      expect(await wire.reasonOf({ signal: AbortSignal.abort() })).toMatchObject({ name: 'AbortError' });
    });

    test('one that is aborted already arrives so, with whatever was its reason', async () => {
      const wire = await remote();
      expect(await wire.reasonOf({ signal: AbortSignal.abort({ code: 7 }) })).toEqual({ code: 7 });
    });

    test('one that comes home is itself, and one of the other side works here', async () => {
      const wire = await remote();
      const { signal } = new AbortController();
      expect(await wire.echo(signal)).toBe(signal);
      const theirs = await wire.aborts();
      expect(theirs.signal.aborted).toBe(false);
      expect(await wire.same(theirs.signal, theirs.signal)).toBe(true);
      const aborted = new Promise((resolve) => {
        theirs.signal.addEventListener('abort', () => resolve(theirs.signal.reason), { once: true });
      });
      await theirs.abort('over there');
      expect(await aborted).toBe('over there');
    });

    test('one passes through a third site', async () => {
      const wire = await remote();
      const controller = new AbortController();
      const started = signalled();
      const below = await wire.siteBelow();
      const answer = below.reasonOf({ signal: controller.signal }, started.tell).then((reason) => reason);
      await started.told;
      controller.abort('all the way');
      expect(await answer).toBe('all the way');
    });

    test('they are aborted when the realm that holds them over there has lost its own', async () => {
      const line = await lines.own();
      const theirs = await line.remote.aborts();
      await line.kill();
      expect(theirs.signal.aborted).toBe(true);
      expect(theirs.signal.reason).toMatchObject({ code: 'ERR_OFFSITE_CRASHED' });
    });
  });

  describe('a call that is given up', () => {
    test('rejects at once with the reason, and what runs over there learns of it', async () => {
      const wire = await remote();
      const controller = new AbortController();
      const { tell, running, givenUp } = watch();
      const call = rejection(withOptions(wire, { signal: controller.signal }).untilGivenUp(tell));
      await running;
      const reason = new RangeError('not wanted any more');
      controller.abort(reason);
      expect(await call).toBe(reason);
      expect(await givenUp).toBeInstanceOf(RangeError);
      expect(await givenUp).toMatchObject({ message: 'not wanted any more' });
    });

    test('by a bound in time rejects with a TimeoutError, and over there with one too', async () => {
      const { tell, givenUp } = watch();
      const wire = withOptions(await remote(), { timeout: 300 });
      const error = await rejection(wire.untilGivenUp(tell));
      expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_OFFSITE_TIMEOUT', waited: 300 });
      expect(await givenUp).toMatchObject({ name: 'TimeoutError', code: 'ERR_OFFSITE_TIMEOUT' });
    });

    test('before it was made, or before it left, is never performed', async () => {
      const wire = await remote();
      const controller = new AbortController();
      const bounded = withOptions(wire, { signal: controller.signal });
      const early = rejection(bounded.note('before it left'));
      controller.abort('early');
      expect(await early).toBe('early');
      expect(await rejection(bounded.note('before it was made'))).toBe('early');
      await wire.note('this one');
      expect(await wire.told()).toEqual(['this one']);
    });

    test('after its answer changes nothing, nor does doing it twice', async () => {
      const wire = await remote();
      const controller = new AbortController();
      const bounded = withOptions(wire, { signal: controller.signal });
      const sum = bounded.add(1, 2);
      expect(await sum).toBe(3);
      controller.abort('late');
      controller.abort('later');
      expect(await sum).toBe(3);
      expect(await rejection(bounded.add(1, 2))).toBe('late');
      expect(await wire.add(1, 2)).toBe(3);
    });

    test('gives up what was chained to it too, at every step', async () => {
      const { tell, running, givenUp } = watch();
      const controller = new AbortController();
      const wire = withOptions(await remote(), { signal: controller.signal });
      const call = rejection(wire.patient().nested.untilGivenUp(tell));
      await running;
      controller.abort('the chain too');
      expect(await call).toBe('the chain too');
      expect(await givenUp).toBe('the chain too');
    });

    test('is given up in a third site too', async () => {
      const { tell, running, givenUp } = watch();
      const controller = new AbortController();
      const below = await (await remote()).siteBelow();
      const call = rejection(withOptions(below, { signal: controller.signal }).untilGivenUp(tell));
      await running;
      controller.abort('down there');
      expect(await call).toBe('down there');
      expect(await givenUp).toBe('down there');
    });

    test('while its large argument is still coming is never performed', async () => {
      const wire = await remote();
      const [controller, other] = [new AbortController(), await wire.account()];
      const bounded = withOptions(wire, { signal: controller.signal });
      const call = rejection(bounded.note(new Uint8Array((lines.sharesMemory ? 80 : 8) * 1024 * 1024)));
      // Calls on one reference wait for each other's arguments, those on another one do not.
      await other.add(1);
      controller.abort('in the midst');
      expect(await call).toBe('in the midst');
      await wire.note('the next');
      expect(await wire.told()).toEqual(['the next']);
    });

    test('no longer holds what it was given', async () => {
      const line = await lines.own();
      const held = await (async () => {
        const { tell, running } = watch();
        const controller = new AbortController();
        const call = rejection(withOptions(line.remote, { signal: controller.signal }).untilGivenUp(tell));
        await running;
        controller.abort('done with it');
        await call;
        return new WeakRef(controller.signal);
      })();
      await collectedUntil(() => held.deref() === undefined);
      expect(line.inFlight).toBe(0);
    });

    test('can only be given up if it was said so: others have no signal over there', async () => {
      const wire = await remote();
      expect(await wire.hasCallSignal()).toBe(false);
      expect(await withOptions(wire, { timeout: 10_000 }).hasCallSignal()).toBe(true);
      expect(() => withOptions(wire, { timeout: -1 })).toThrow(/milliseconds/);
      expect(() => withOptions({} as typeof wire, { timeout: 1 })).toThrow(TypeError);
    });
  });
}

import { afterEach, describe, expect, test } from 'vitest';
import { detachedSites } from '../../lib/ticket/site-folder.ts';
import { ticketText } from '../../lib/ticket/ticket.ts';
import { attach, detach, endDetached, killParent, raiseDetached, saidBy, WAYS } from '../support/detached.ts';
import { descendants, waitUntilGone } from '../support/processes.ts';
import { type Calc, fixture, LineBox, type Misbehave, rejection } from '../support/sites.ts';

afterEach(endDetached);

describe.each(WAYS)('a detached site $name', ({ name, unavailable, options, again }) => {
  test.skipIf(unavailable !== undefined)(
    'survives the kill of its parent in the middle of a call, is found with its state, and is closed',
    async () => {
      const raised = await raiseDetached({ ...options(), name: 'survivor' });
      const ways = descendants(raised.parent.pid!).filter((pid) => pid !== raised.pid);
      await killParent(raised);
      // The log-out: ssh and what it has started over there end with their user.
      await waitUntilGone(ways, 4_000);
      const site = attach(raised.ticket, again());
      const calc = await site.link<Calc>(fixture('calc.js'));
      expect(await calc.hit()).toEqual({ loads: 1, hits: 2 });
      expect({ pid: site.pid, name: site.name }).toEqual({ pid: raised.pid, name: 'survivor' });
      expect(
        (await detachedSites()).map(({ pid, name, clients }) => ({ pid, name, clients })),
      ).toContainEqual({
        pid: raised.pid,
        name: 'survivor',
        clients: 1,
      });
      await site.close();
      await waitUntilGone([raised.pid], 1_000);
      expect(await rejection(attach(raised.ticket, again()).ready)).toMatchObject({
        code: 'ERR_OFFSITE_TICKET',
        reason: 'gone',
      });
    },
  );

  test.skipIf(unavailable !== undefined)(
    'is left alone by disconnect, and serves two clients at once',
    async () => {
      const first = detach(options());
      const counter = await (await first.link<Calc>(fixture('calc.js'))).hit();
      const ticket = await first.ticket();
      await first.disconnect();
      expect({ counter, state: first.state }).toEqual({ counter: { loads: 1, hits: 1 }, state: 'closed' });
      expect(await rejection(first.ping())).toMatchObject({ code: 'ERR_OFFSITE_CLOSED' });

      const [one, two] = [attach(ticket, again()), attach(ticket, again())];
      const calcs = await Promise.all([one, two].map((site) => site.link<Calc>(fixture('calc.js'))));
      expect(await calcs[0]!.hit()).toMatchObject({ hits: 2 });
      expect(await calcs[1]!.hit()).toMatchObject({ hits: 3 });
      // Each has references of its own to what both share.
      expect(await calcs[1]!.mapWith([1, 2], (n: number) => n * 2)).toEqual([2, 4]);
      await one.disconnect();
      expect(await calcs[1]!.hit()).toMatchObject({ hits: 4 });
      const left = new Promise((resolve) => one.on('exit', resolve));
      expect(await left).toMatchObject({ reason: 'disconnected', code: null, signal: null });
      await two.close();
      await waitUntilGone([two.pid!], 1_000);
    },
  );

  test.skipIf(unavailable !== undefined)('is closed although it never lets go of its thread', async () => {
    const site = detach(options());
    const busy = await site.link<Misbehave>(fixture('misbehave.js'));
    const ticket = await site.ticket();
    const client = attach(ticket, again());
    await client.ready;
    await busy.spinSoon();
    const { pid } = site;
    await client.close({ timeout: 300 });
    await waitUntilGone([pid!], 1_000);
  });

  test.skipIf(unavailable !== undefined)(
    'refuses forged, used and expired tickets, and says which',
    async () => {
      const site = detach(options());
      await site.ready;
      const once = await site.ticket({ once: true });
      const short = await site.ticket({ expires: 1 });
      const guest = attach(once, again());
      await guest.ready;
      await guest.disconnect();
      const forged = ticketText({ ...saidBy(once), key: Buffer.alloc(32, 7).toString('base64url') });
      for (const [ticket, reason] of [
        [once, 'used'],
        [short, 'expired'],
        [forged, 'forged'],
      ] as const) {
        const refused = attach(ticket, again());
        expect(await rejection(refused.ready)).toMatchObject({ code: 'ERR_OFFSITE_TICKET', reason });
        // A call that was made before gets the same.
        expect(await rejection(refused.ping())).toMatchObject({ reason });
      }
      expect(await site.ping()).toBeGreaterThan(0);
    },
  );

  test.skipIf(unavailable !== undefined)('tells each client what it prints and how it died', async () => {
    const boxes = [new LineBox(), new LineBox()];
    const site = detach({ ...options(), stdout: boxes[0]!.sink });
    const ticket = await site.ticket();
    const client = attach(ticket, { ...again(), stdout: boxes[1]!.sink });
    const module = await client.link<Misbehave>(fixture('misbehave.js'));
    await module.logLines(['to both']);
    await Promise.all(boxes.map((box) => box.line('to both')));
    const exits = [site, client].map((each) => new Promise((resolve) => each.on('exit', resolve)));
    const call = rejection(module.killSelf());
    // What ssh says of a command that a signal has ended is 255.
    const how = name === 'over ssh' ? { code: 255 } : { signal: 'SIGKILL' };
    expect(await exits[0]).toMatchObject({ reason: 'crashed', ...how });
    expect(await exits[1]).toMatchObject({ reason: 'crashed' });
    expect(await call).toMatchObject({ code: 'ERR_OFFSITE_CRASHED', mayHaveRun: true });
  });
});

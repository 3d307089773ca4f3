import { expect, test } from 'vitest';
import { Linked } from '../../../actors/supervisor/linked.ts';
import { RemoteManager, Supervisor } from '../../../lib/index.ts';
import { collectedUntil } from '../../support/lines.ts';
import { type Calc, fixture } from '../../support/sites.ts';

test('a module that was linked through a child is held by nobody but who linked it, while its site lives', async () => {
  await using supervisor = new Supervisor({
    children: [
      { id: 'calc', start: () => new RemoteManager({ fork: 'virtual', stdout: 'ignore', stderr: 'ignore' }) },
    ],
  });
  await supervisor.ready;
  const child = supervisor.child('calc');
  const linkOnce = async (): Promise<WeakRef<Linked>> => {
    const linked = new Linked(child, (site) => site.link<Calc>(fixture('calc.js')));
    await (linked.current() as PromiseLike<unknown>);
    expect(linked.known()).toBeDefined();
    return new WeakRef(linked);
  };
  const made = await Promise.all(Array.from({ length: 20 }, linkOnce));
  await collectedUntil(() => made.every((each) => each.deref() === undefined));
  expect(child.state).toBe('up');
});

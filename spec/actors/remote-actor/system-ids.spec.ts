import { expect, test, vi } from 'vitest';
import { createActor, setup } from 'xstate';
import { fromSite } from '../../../lib/index.ts';
import { ACTORS, type Actors, emitted, overSites } from './over-sites.ts';

overSites('a system id', (bench) => {
  /** A machine with an actor in each of two sites, and one of its own. */
  const tree = () => {
    const other = bench.fork();
    const machine = setup({
      actors: {
        first: fromSite<Actors, 'keeper'>(bench.site(), ACTORS, 'keeper'),
        second: fromSite<Actors, 'keeper'>(other, ACTORS, 'keeper'),
      },
    }).createMachine({
      invoke: [
        { src: 'first', id: 'first', systemId: 'first', input: undefined },
        { src: 'second', id: 'second', systemId: 'second', input: undefined },
      ],
    });
    const root = createActor(machine, { systemId: 'root' }).start();
    const { first, second } = root.getSnapshot().children;
    return { root, first: first!, second: second!, other };
  };

  test('is found from every site of the tree, and forgotten with its actor', async () => {
    const { root, first, second, other } = tree();
    const find = async (actor: typeof first, name: string, send?: { type: 'find'; name: string }) => {
      const found = emitted<{ id?: string }>(actor, 'found');
      actor.send({ type: 'find', name, send });
      return (await found).id;
    };
    expect(root.system.get('first')).toBe(first);
    expect(await find(first, 'root')).toBe(root.id);
    expect(await find(first, 'second')).toBe('second');
    expect(await find(second, 'first')).toBe('first');
    expect(await find(first, 'first')).toBe('first');
    expect(await find(first, 'nobody')).toBeUndefined();
    // What a site has made is told to the parent, and by it to the others.
    const name = 'made over there';
    first.send({ type: 'spawn', name });
    await vi.waitFor(() => expect(root.system.get(name as never)).toMatchObject({ id: name }));
    await vi.waitFor(async () => expect(await find(second, name)).toBe(name));
    // It is reached through what was found.
    const found = emitted(first, 'found');
    await find(second, 'first', { type: 'find', name: 'by another' });
    expect(await found).toMatchObject({ name: 'by another' });
    const ended = new Promise((resolve) =>
      second.subscribe({ error: resolve, complete: () => resolve(undefined) }),
    );
    root.subscribe({ error: () => {} });
    await other.close();
    await ended;
    await vi.waitFor(async () => expect(root.system.get('second')).toBeUndefined());
  });

  test('that another site has given can not be given again', async () => {
    const { root, first, second } = tree();
    first.send({ type: 'spawn', name: 'unique' });
    await vi.waitFor(() => expect(root.system.get('unique' as never)).toBeDefined());
    const taken = emitted(second, 'found');
    second.send({ type: 'find', name: 'unique' });
    expect(await taken).toMatchObject({ id: 'unique' });
    const failed = new Promise((resolve) => second.subscribe({ error: resolve }));
    root.subscribe({ error: () => {} });
    second.send({ type: 'spawn', name: 'unique' });
    expect(await failed).toMatchObject({ message: "Actor with system ID 'unique' already exists." });
    root.stop();
  });
});

import { describe, expect, test } from 'vitest';
import { SiteService } from '../../lib/engine/site-service.ts';
import { functor } from '../../lib/module/functor.ts';
import { functorScript } from '../../lib/module/functor-text.ts';
import { byReference, isByReference } from '../../lib/wire/reference/reference.ts';
import { fixture } from '../support/sites.ts';
import { pair } from '../wire/pair.ts';

const needed = () => {
  throw new Error('Nothing is needed of the parent here.');
};
const service = () => new SiteService({ ask: needed, askSync: needed }, () => true);
const textOf = (made: ReturnType<typeof functor>) => ({ import: made.import, script: functorScript(made) });

describe('what a manager asks of its site', () => {
  test('is a module, which crosses by reference and is the same each time', async () => {
    const site = service();
    const url = fixture('calc.js').href;
    const module = await site.link({ url });
    expect(isByReference(module)).toBe(true);
    expect(await site.link({ url })).toBe(module);
    expect((module as { add(a: number, b: number): number }).add(1, 2)).toBe(3);
  });

  test("is a functor's module, which is a new one each time", async () => {
    const site = service();
    const made = textOf(functor({ import: { path: 'node:path' } }, ({ path }) => ({ sep: () => path.sep })));
    const [first, second] = [await site.apply(made), await site.apply(made)];
    expect(isByReference(first)).toBe(true);
    expect(first).not.toBe(second);
    expect((first as { sep(): string }).sep()).toBe('/');
  });

  test('is to enter a module, which links and functors then find', async () => {
    const site = service();
    const greeter = byReference({ greet: (name: string) => `Hello, ${name}!` });
    site.enter({ name: 'greeter' }, greeter);
    expect(await site.link({ name: 'greeter' })).toBe(greeter);
    const user = textOf(functor({ import: { greeter: 'greeter' } }, ({ greeter }) => ({ greeter })));
    expect(((await site.apply(user)) as { greeter: unknown }).greeter).toBe(greeter);
  });

  test('is a module that lives elsewhere, which is reached through this site', async () => {
    // The middle site's own remote value, given to somebody else by it.
    const { remote } = pair({ greeter: () => byReference({ greet: (name: string) => `Hello, ${name}!` }) });
    const far = (await remote.greeter()) as object;
    const site = service();
    site.enter({ name: 'greeter' }, far);
    const view = (await site.link({ name: 'greeter' })) as { greet(name: string): Promise<string> };
    expect(view).not.toBe(far);
    expect(await site.link({ name: 'greeter' })).toBe(view);
    expect(await view.greet('Oz')).toBe('Hello, Oz!');
  });
});

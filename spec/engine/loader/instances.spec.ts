import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Instances } from '../../../lib/engine/loader/instances.ts';
import type { Described } from '../../../lib/module/source/service.ts';
import { at, described } from './described.ts';

const elsewhere = () => new Instances(() => false);
const sameDisk = () => new Instances(({ made }) => !made);
const nothing = { since: Infinity };

const urls = (instances: readonly { readonly url: string }[]) => instances.map(({ url }) => url);
const fresh = (name: string, number: number) => `${at(name)}?fresh=${number}`;

/** What some of the modules are when their files have other content. */
const changed = (modules: readonly Described[], ...names: string[]) =>
  modules.map((each) =>
    names.some((name) => each.url === at(name)) ? { ...each, hash: `${each.hash}, changed` } : each,
  );

describe('modules from another disk', () => {
  test('are instances under their own URLs and files, the first time', () => {
    const instances = elsewhere();
    const added = instances.add([described('a.mjs', ['b.mjs']), described('b.mjs')]);
    expect(added).toMatchObject([
      { url: at('a.mjs'), filename: '/offsite-spec/a.mjs', imports: { './b.mjs': { url: at('b.mjs') } } },
      { url: at('b.mjs'), filename: '/offsite-spec/b.mjs' },
    ]);
    const [a] = added;
    expect([instances.latest(at('a.mjs')), instances.at(at('a.mjs'))]).toEqual([a, a]);
    expect(instances.inFile('/offsite-spec/a.mjs')).toBe(a);
    for (const none of [at('c.mjs'), 'node:fs']) {
      expect([instances.latest(none), instances.at(none)]).toEqual([undefined, undefined]);
    }
    expect(instances.inFile('/offsite-spec/c.mjs')).toBeUndefined();
  });

  test('are not loaded again when they are described again, though they have changed', () => {
    const instances = elsewhere();
    const modules = [described('a.mjs')];
    instances.add(modules);
    expect(instances.add(modules)).toEqual([]);
    expect(instances.add(changed(modules, 'a.mjs'))).toEqual([]);
  });

  test('import what came with an earlier answer, and keep edges that lead nowhere', () => {
    const instances = elsewhere();
    instances.add([described('b.mjs')]);
    const missing = { code: 'X', message: 'm' };
    const a = described('a.mjs', ['b.mjs', 'elsewhere.mjs']);
    const [added] = instances.add([
      { ...a, requires: { x: missing }, imports: { ...a.imports, y: missing } },
    ]);
    expect(added).toMatchObject({
      imports: {
        './b.mjs': { url: at('b.mjs') },
        './elsewhere.mjs': { url: at('elsewhere.mjs') },
        y: missing,
      },
      requires: { x: missing },
    });
  });

  test('keep their query in their URL, and share a file', () => {
    const instances = elsewhere();
    const [one] = instances.add([described('a.mjs?v=1')]);
    expect(one).toMatchObject({ url: at('a.mjs?v=1'), filename: '/offsite-spec/a.mjs' });
    const [again] = instances.add([described('a.mjs?v=1')], { entry: at('a.mjs?v=1'), ...nothing });
    expect(again!.url).toBe(`${at('a.mjs?v=1')}&fresh=2`);
  });
});

describe('a module that is wanted afresh', () => {
  const modules = [
    described('entry.mjs', ['left.mjs', 'right.mjs']),
    described('left.mjs', ['deep.mjs']),
    described('right.mjs', ['other.mjs']),
    described('deep.mjs'),
    described('other.mjs'),
  ];
  const renewal = { entry: at('entry.mjs'), ...nothing };

  test('is the only one that is loaded again when nothing has changed', () => {
    const instances = elsewhere();
    instances.add(modules);
    const added = instances.add(modules, renewal);
    expect(urls(added)).toEqual([fresh('entry.mjs', 2)]);
    expect(added[0]!.filename).toBe('/offsite-spec/entry.mjs?fresh=2');
    expect(added[0]!.imports['./left.mjs']).toEqual({ url: at('left.mjs') });
    expect(urls(instances.add(modules, renewal))).toEqual([fresh('entry.mjs', 3)]);
  });

  test('is loaded again with what has changed, and with what lies between them, and with nothing else', () => {
    const instances = elsewhere();
    instances.add(modules);
    const added = instances.add(changed(modules, 'deep.mjs'), renewal);
    expect(urls(added)).toEqual([fresh('entry.mjs', 2), fresh('left.mjs', 2), fresh('deep.mjs', 2)]);
    const [entry, left] = added;
    expect(entry!.imports).toEqual({
      './left.mjs': { url: fresh('left.mjs', 2) },
      './right.mjs': { url: at('right.mjs') },
    });
    expect(left!.imports).toEqual({ './deep.mjs': { url: fresh('deep.mjs', 2) } });
    // The next importer gets the latest, and those of before stay as they are.
    const [later] = instances.add([described('later.mjs', ['deep.mjs', 'other.mjs'])]);
    expect(later!.imports['./deep.mjs']).toEqual({ url: fresh('deep.mjs', 2) });
    expect(instances.at(at('left.mjs'))!.imports['./deep.mjs']).toEqual({ url: at('deep.mjs') });
    expect(instances.inFile('/offsite-spec/deep.mjs')!.url).toBe(at('deep.mjs'));
    expect(instances.inFile('/offsite-spec/deep.mjs?fresh=2')!.url).toBe(fresh('deep.mjs', 2));
  });

  test('takes a whole cycle along if one of it has changed', () => {
    const cycle = [
      described('entry.mjs', ['a.mjs', 'apart.mjs']),
      described('a.mjs', ['b.mjs']),
      described('b.mjs', ['c.mjs', 'apart.mjs']),
      described('c.mjs', ['a.mjs']),
      described('apart.mjs'),
    ];
    const instances = elsewhere();
    instances.add(cycle);
    const added = instances.add(changed(cycle, 'b.mjs'), renewal);
    expect(urls(added)).toEqual(['entry.mjs', 'a.mjs', 'b.mjs', 'c.mjs'].map((name) => fresh(name, 2)));
    expect(added.at(-1)!.imports).toEqual({ './a.mjs': { url: fresh('a.mjs', 2) } });
  });

  test('follows what is required as well as what is imported', () => {
    const both = [
      described('entry.mjs', [], { requires: { './b.cjs': { url: at('b.cjs') } } }),
      described('b.cjs', [], { requires: { './c.cjs': { url: at('c.cjs') } } }),
      described('c.cjs'),
    ];
    const instances = elsewhere();
    instances.add(both);
    expect(instances.add(changed(both, 'c.cjs'), renewal)).toHaveLength(3);
    expect(instances.latest(at('b.cjs'))!.requires['./c.cjs']).toEqual({ url: fresh('c.cjs', 2) });
  });

  test('takes in what it imports for the first time', () => {
    const instances = elsewhere();
    instances.add([described('entry.mjs')]);
    const added = instances.add([described('entry.mjs', ['new.mjs']), described('new.mjs')], renewal);
    expect(urls(added)).toEqual([fresh('entry.mjs', 2), at('new.mjs')]);
  });

  test('is loaded under its own URL if it never was before', () => {
    expect(urls(elsewhere().add([described('entry.mjs')], renewal))).toEqual([at('entry.mjs')]);
  });
});

describe('modules on the same disk', () => {
  const modules = [
    described('entry.js', ['b.js', 'made.ts']),
    described('b.js', [], { changed: 100 }),
    described('made.ts', ['b.js'], { made: true }),
  ];

  test('are left to Node, but for what was made of them', () => {
    const instances = sameDisk();
    const added = instances.add(modules);
    expect(urls(added)).toEqual([at('made.ts')]);
    expect(added[0]!.imports).toEqual({ './b.js': { url: at('b.js') } });
    expect(instances.latest(at('entry.js'))).toBeUndefined();
  });

  test('are loaded again beside those that Node holds, if they have changed since it read them', () => {
    const since = { entry: at('entry.js'), since: 50 };
    const instances = sameDisk();
    instances.add(modules);
    const added = instances.add(modules, since);
    expect(urls(added)).toEqual([fresh('entry.js', 2), fresh('b.js', 2), fresh('made.ts', 2)]);
    expect(added[0]!.imports).toEqual({
      './b.js': { url: fresh('b.js', 2) },
      './made.ts': { url: fresh('made.ts', 2) },
    });
    // They are known from then on by what they hold, whatever their times say.
    expect(urls(instances.add(modules, since))).toEqual([fresh('entry.js', 3)]);
  });

  test('are not loaded again if they are as old as what Node has read', () => {
    const instances = sameDisk();
    expect(urls(instances.add(modules, { entry: at('entry.js'), since: 101 }))).toEqual([
      fresh('entry.js', 2),
      at('made.ts'),
    ]);
  });
});

describe('any modules of which any have changed', () => {
  test('are loaded again exactly if they can see a change, and never see an old one then', () => {
    const SIZE = 7;
    const graph = fc.array(fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: 3 }), {
      minLength: SIZE,
      maxLength: SIZE,
    });
    fc.assert(
      fc.property(graph, fc.uniqueArray(fc.nat(SIZE - 1)), (imports, changes) => {
        const name = (i: number) => `m${i}.mjs`;
        const modules = imports.map((targets, i) => described(name(i), targets.map(name)));
        const instances = elsewhere();
        instances.add(modules);
        const added = instances.add(changed(modules, ...changes.map(name)), {
          entry: at(name(0)),
          ...nothing,
        });
        const sees = (i: number, seen = new Set<number>()): boolean => {
          if (i === 0 || changes.includes(i)) return true;
          if (seen.has(i)) return false;
          seen.add(i);
          return imports[i]!.some((target) => sees(target, seen));
        };
        const expected = imports.flatMap((_, i) => (sees(i) ? [fresh(name(i), 2)] : []));
        expect(urls(added)).toEqual(expected);
        for (const instance of added) {
          for (const edge of Object.values(instance.imports)) {
            const { url } = edge as { url: string };
            expect(instances.at(url)!.url).toBe(instances.latest(instances.at(url)!.described.url)!.url);
          }
        }
      }),
    );
  });
});

import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Way } from '../../../lib/module/source/service.ts';
import { Sources } from '../../../lib/module/source/sources.ts';
import { disk, edgeOf, failureOf, NEW, namesOf, refused, serving } from './disk.ts';

const at = disk();
const { write, url, symlink } = at;

describe('what is served', () => {
  test('does not hold hidden folders, whatever a site asks for by its URL or at run time', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.cjs', 'module.exports = (name) => require(name);');
    const secret = write('.docker/config.json', '{"auths":1}');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    expect(await sources.describe(secret, NEW)).toBeUndefined();
    expect(await edgeOf(sources, './.docker/config.json', entry)).toMatchObject(refused);
    // A module that names it in its text is another thing.
    const open = write('b.cjs', "exports.auths = require('./.docker/config.json');");
    sources.link({ url: open });
    expect(namesOf((await sources.describe(open, NEW))!.modules)).toContain('config.json');
  });

  test('is the nearest package with a name, of which a build may have made a part', async () => {
    write('mine/package.json', '{"name":"mine"}');
    write('mine/dist/package.json', '{"type":"commonjs"}');
    const entry = write('mine/dist/deep/a.js', '');
    write('mine/src/b.js', '');
    write('above.js', '');
    const sources = serving(entry);
    expect(await edgeOf(sources, '../../src/b.js', entry)).toEqual({ url: url('mine/src/b.js') });
    expect(failureOf(await edgeOf(sources, '../../../above.js', entry))).toMatchObject(refused);
  });

  test('is not a package beside it, though its name begins in the same way', async () => {
    write('mine/package.json', '{"name":"mine"}');
    write('mine-too/package.json', '{"name":"mine-too"}');
    const entry = write('mine/a.js', "require('../mine-too/b.js');");
    const other = write('mine-too/b.js', '');
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(namesOf(modules)).toEqual(['a.js']);
    const edge = failureOf(modules[0]!.requires['../mine-too/b.js']);
    expect(edge).toMatchObject(refused);
    expect(edge.message).toContain('../mine-too/b.js');
    expect(edge.message).toContain(at.path('mine/a.js'));
    expect(edge.message).toMatch(/`serve`/);
    sources.link({ url: other });
    expect(await edgeOf(sources, '../mine-too/b.js', entry)).toEqual({ url: other });
  });

  test('is the folder alone where there is no package', async () => {
    const entry = write('lone/a.js', '');
    write('lone/b/c.js', '');
    write('d.js', '');
    const sources = serving(entry);
    expect(await edgeOf(sources, './b/c.js', entry)).toEqual({ url: url('lone/b/c.js') });
    expect(failureOf(await edgeOf(sources, '../d.js', entry))).toMatchObject(refused);
  });

  test('are the node_modules of the folders around, as Node looks there', async () => {
    write('mine/package.json', '{"name":"mine"}');
    const entry = write('mine/a.js', "require('hoisted');");
    write('node_modules/hoisted/index.js', "require('./own');");
    write('node_modules/hoisted/own.js', '');
    const sources = serving(entry);
    expect(namesOf((await sources.describe(entry, NEW))!.modules)).toEqual(['a.js', 'index.js', 'own.js']);
    expect(await edgeOf(sources, '../node_modules/hoisted/own.js', entry)).toHaveProperty('url');
  });

  test('is a folder that the user names, and nothing that is named and not there', async () => {
    write('mine/package.json', '{"name":"mine"}');
    const entry = write('mine/a.js', '');
    write('shared/b.js', '');
    symlink('other-name', 'shared');
    const sources = new Sources([at.path('other-name')]);
    sources.link({ url: entry });
    expect(await edgeOf(sources, '../shared/b.js', entry)).toEqual({ url: url('shared/b.js') });
    expect(() => new Sources([at.path('none')])).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('is a package of a workspace, to which a symbolic link in node_modules leads', async () => {
    write('app/package.json', '{"name":"app"}');
    const entry = write('app/a.mjs', "import '@me/lib';");
    write('packages/lib/package.json', '{"name":"@me/lib","type":"module","main":"./src/index.js"}');
    write('packages/lib/src/index.js', "import '../helper.js';");
    write('packages/lib/helper.js', 'export {};');
    symlink('node_modules/@me/lib', 'packages/lib');
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(namesOf(modules)).toEqual(['a.mjs', 'index.js', 'helper.js']);
    expect(modules[1]!.url).toBe(url('packages/lib/src/index.js'));
  });

  test('is nothing to which a symbolic link leads out of it', async () => {
    write('mine/package.json', '{"name":"mine"}');
    write('secret.js', '');
    symlink('mine/innocent.js', 'secret.js');
    symlink('mine/folder', '.');
    const entry = write('mine/a.js', "require('./innocent.js');");
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(namesOf(modules)).toEqual(['a.js']);
    expect(failureOf(modules[0]!.requires['./innocent.js'])).toMatchObject(refused);
    for (const way of ['import', 'require'] as const) {
      expect(failureOf(await edgeOf(sources, './innocent.js', entry, way))).toMatchObject(refused);
      expect(failureOf(await edgeOf(sources, './folder/secret.js', entry, way))).toMatchObject(refused);
    }
  });

  test('is code and data that Node loads, if it is asked for by a name that stands in no module', async () => {
    write('mine/package.json', '{"name":"mine"}');
    const entry = write('mine/a.js', '');
    for (const name of ['.env', '.npmrc', 'id_rsa', 'notes.txt', 'key.pem', '.git/config']) {
      write(`mine/${name}`, 'SECRET');
      expect(failureOf(await edgeOf(serving(entry), `./${name}`, entry)), name).toMatchObject(refused);
    }
    const named = write('mine/b.js', "require('./tool');");
    write('mine/tool', 'exports.tool = 1;');
    expect(namesOf((await serving(named).describe(named, NEW))!.modules)).toEqual(['b.js', 'tool']);
  });

  test('is not even said to be there, or not', async () => {
    write('mine/package.json', '{"name":"mine"}');
    const entry = write('mine/a.js', '');
    write('other/there.js', '');
    const sources = serving(entry);
    for (const way of ['import', 'require'] as const) {
      const there = failureOf(await edgeOf(sources, '../other/there.js', entry, way));
      const none = failureOf(await edgeOf(sources, '../other/none.js', entry, way));
      expect({ ...there, message: there.message.replace('there', 'none') }).toEqual(none);
    }
  });

  test('has no source that was not described to the site', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.js', '');
    write('b.js', 'exports.b = 1;');
    const other = serving(url('b.js'));
    const { hash } = (await other.describe(url('b.js'), NEW))!.modules[0]!;
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    for (const unknown of [hash, '', '../a.js', '/etc/passwd', 'constructor']) {
      await expect(sources.sources([unknown]), unknown).rejects.toMatchObject({
        name: 'NotServedError',
        ...refused,
        message: expect.stringContaining(unknown),
      });
    }
  });

  test('is never what a package with a way behind its name leads to outside', async () => {
    write('mine/package.json', '{"name":"mine"}');
    write('mine/node_modules/pkg/package.json', '{"name":"pkg"}');
    write('mine/node_modules/pkg/index.js', '');
    write('outside/secret.js', 'SECRET');
    const entry = write('mine/a.js', '');
    const steps = ['..', '.\t.', '%2e%2e', '.%2E', '%2e.'];
    const slashes = ['/', '\\', '//', '/./', '/\n'];
    const climb = fc
      .tuple(
        fc.constantFrom('pkg', 'none', '@me/pkg'),
        fc.array(fc.tuple(fc.constantFrom(...slashes), fc.constantFrom(...steps)), {
          minLength: 2,
          maxLength: 4,
        }),
        fc.constantFrom(...slashes),
        fc.constantFrom('outside/secret.js', 'etc/passwd', 'outside\\secret.js'),
      )
      .map(([name, ways, slash, end]) => `${name}${ways.flat().join('')}${slash}${end}`);
    await fc.assert(
      fc.asyncProperty(climb, fc.constantFrom<Way>('import', 'require'), async (specifier, way) => {
        const sources = serving(entry);
        const edge = await edgeOf(sources, specifier, entry, way);
        expect(edge && 'url' in edge).toBe(false);
        expect(failureOf(await edgeOf(sources, '../outside/secret.js', entry))).toMatchObject(refused);
      }),
      {
        examples: [
          ['pkg/../../../outside/secret.js', 'require'],
          ['pkg/../../../outside/secret.js', 'import'],
        ],
      },
    );
    expect(existsSync(at.path('outside/secret.js'))).toBe(true);
  });
});

describe('native code', () => {
  const install = (manifest: object, ...files: string[]) => {
    write('package.json', '{"name":"mine"}');
    write('node_modules/fast/package.json', JSON.stringify({ name: 'fast', ...manifest }));
    write('node_modules/fast/index.js', '');
    for (const file of files) write(`node_modules/fast/${file}`, '');
    return write('a.mjs', "import 'fast';");
  };

  test.each<[string, object, string[]]>([
    ['a recipe for it', {}, ['binding.gyp']],
    ['a word that it has one', { gypfile: true }, []],
    ['prebuilt code', { binary: { module_name: 'fast' } }, []],
    ['what napi-rs makes', { napi: {} }, []],
    ['what loads it', { dependencies: { 'node-gyp-build': '^4' } }, []],
  ])('in a package with %s is never sent, and may be on the site', async (_what, manifest, files) => {
    const entry = install(manifest, ...files);
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    expect(namesOf(modules)).toEqual(['a.mjs']);
    const edge = failureOf(modules[0]!.imports.fast);
    expect(edge).toMatchObject({
      name: 'NativeAddonError',
      code: 'ERR_OFFSITE_NATIVE_ADDON',
      siteMayHave: true,
    });
    expect(edge.message).toContain("imports 'fast', but fast has native code");
    expect(edge.message).toContain(at.path('a.mjs'));
  });

  test('in a file of its own is never sent', async () => {
    write('package.json', '{"name":"mine"}');
    write('build/own.node', '');
    const entry = write('a.cjs', "require('./build/own.node');");
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(failureOf(modules[0]!.requires['./build/own.node'])).toMatchObject({ siteMayHave: true });
    expect(failureOf(await edgeOf(sources, './build/own.node', entry))).toMatchObject({ siteMayHave: true });
  });

  test('is none in a package that has only JavaScript', async () => {
    const entry = install({ dependencies: { other: '1' } });
    expect(namesOf((await serving(entry).describe(entry, NEW))!.modules)).toEqual(['a.mjs', 'index.js']);
  });
});

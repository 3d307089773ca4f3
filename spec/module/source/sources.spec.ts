import { createHash } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Way } from '../../../lib/module/source/service.ts';
import { linkAll, Sources } from '../../../lib/module/source/sources.ts';
import { disk, edgeOf, failureOf, NEW, namesOf, refused, serving } from './disk.ts';

const at = disk();
const { write, url, symlink } = at;

/** A module with its source as text. */
const textOf = async (sources: Sources, module: string): Promise<string> => {
  const { modules } = (await sources.describe(module, NEW))!;
  return Buffer.from((await sources.sources([modules[0]!.hash]))[0]!).toString('utf8');
};

describe('what was linked', () => {
  test('is described with all that it imports, and its sources are given by hash', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.mjs', "import './b.mjs'; import { c } from './c.cjs'; import 'node:fs';");
    write('b.mjs', "import './a.mjs'; export * from 'pkg';");
    write('c.cjs', "exports.c = require('./d.json'); require('os');");
    write('d.json', '[1]');
    write('node_modules/pkg/package.json', '{"name":"pkg","main":"e.js"}');
    write('node_modules/pkg/e.js', 'exports.e = 1;');
    const sources = serving(entry);
    const answer = (await sources.describe(entry, NEW))!;
    expect(answer.entry).toBe(entry);
    expect(answer.generation).toBe(1);
    expect(namesOf(answer.modules).sort()).toEqual(['a.mjs', 'b.mjs', 'c.cjs', 'd.json', 'e.js']);
    expect(answer.modules[0]).toMatchObject({
      url: entry,
      format: 'module',
      made: false,
      mapped: false,
      imports: { './b.mjs': { url: url('b.mjs') }, './c.cjs': { url: url('c.cjs') } },
      requires: {},
    });
    const common = answer.modules.find(({ format }) => format === 'commonjs');
    expect(common).toMatchObject({ names: ['c'], requires: { './d.json': { url: url('d.json') } } });
    const hashes = answer.modules.map(({ hash }) => hash);
    const given = await sources.sources(hashes);
    expect(given.map((bytes) => createHash('sha256').update(bytes).digest('hex'))).toEqual(hashes);
    expect(Buffer.from(given[0]!).toString()).toContain("import './b.mjs'");
  });

  test('is given byte by byte as it lies there, be it text or not', async () => {
    write('package.json', '{"name":"mine"}');
    const bytes = new Uint8Array([0, 97, 115, 109, 0xff, 0xfe, 0, 1]);
    const entry = write('a.wasm', bytes);
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    expect(modules[0]!.format).toBe('wasm');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    expect(new Uint8Array((await sources.sources([modules[0]!.hash]))[0]!)).toEqual(bytes);
  });

  test('is found under the name that its user gives it, and under its real one', async () => {
    write('real/package.json', '{"name":"real"}');
    write('real/a.mjs', 'export {};');
    symlink('linked', 'real');
    const entry = url('linked/a.mjs');
    expect((await serving(entry).describe(entry, NEW))!.entry).toBe(url('real/a.mjs'));
    const winding = `${url('real')}/../real/./a.mjs`;
    expect((await serving(winding).describe(url('real/a.mjs'), NEW))!.entry).toBe(url('real/a.mjs'));
  });

  test('keeps its query, by which one file is several modules', async () => {
    const entry = write('a.mjs', "import './b.mjs?x=1'; import './b.mjs?x=2';");
    write('b.mjs', 'export {};');
    const asked = `${entry}?v=1`;
    const answer = (await serving(asked).describe(asked, NEW))!;
    expect(answer.entry).toBe(asked);
    expect(namesOf(answer.modules)).toEqual(['a.mjs?v=1', 'b.mjs?x=1', 'b.mjs?x=2']);
  });

  test('may be what a compiler will have written as .js and is a .ts file here', async () => {
    write('package.json', '{"name":"mine","type":"module"}');
    write('a.ts', "import { b } from './b.js'; export const a: number = b;");
    write('b.ts', 'export const b: number = 1;');
    const asked = url('a.js');
    const answer = (await serving(asked).describe(asked, NEW))!;
    expect(answer.entry).toBe(url('a.ts'));
    expect(answer.modules[0]!.imports).toEqual({ './b.js': { url: url('b.ts') } });
  });

  test.each(['https://example.org/a.mjs', 'data:text/javascript,0', 'node:fs', 'left-pad'])(
    'is left to the site if it is no file of this host: %s',
    async (specifier) => {
      const sources = new Sources();
      linkAll(sources, [specifier]);
      expect(await sources.describe(specifier, NEW)).toBeUndefined();
    },
  );

  test('is left to the site if it is not here, until it is', async () => {
    const missing = url('later.mjs');
    const sources = serving(missing);
    expect(await sources.describe(missing, NEW)).toBeUndefined();
    write('later.mjs', 'export {};');
    sources.link({ url: missing });
    expect((await sources.describe(missing, NEW))!.entry).toBe(missing);
  });

  test('is an error for the site if it must be here and is not', async () => {
    const sources = new Sources();
    sources.link({ url: url('none.mjs') }, true);
    sources.link({ name: 'there-is-no-such-package' }, true);
    sources.link({ name: 'node:fs' }, true);
    await expect(sources.describe(url('none.mjs'), NEW)).rejects.toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
      message: expect.stringContaining(at.path('none.mjs')),
    });
    await expect(sources.describe('there-is-no-such-package', NEW)).rejects.toMatchObject({
      code: 'ERR_MODULE_NOT_FOUND',
      message: expect.stringContaining('there-is-no-such-package'),
    });
    await expect(sources.describe('node:fs', NEW)).rejects.toMatchObject(refused);
  });

  test('may be named as a file in the working directory would name it, if it must be here', async () => {
    write('a.mjs', 'export {};');
    const path = `./${relative(process.cwd(), at.folder)}/a.mjs`.replaceAll('#', '%23');
    const sources = new Sources();
    sources.link({ url: path }, true);
    expect((await sources.describe(path, NEW))!.entry).toBe(url('a.mjs'));
    sources.link({ name: 'fast-check' }, true);
    expect((await sources.describe('fast-check', NEW))!.entry).toMatch(/node_modules\/fast-check\//);
  });

  test('rejects with the reason if it can not be read, and what it imports carries it', async () => {
    write('package.json', '{"name":"mine"}');
    const broken = write('broken.ts', 'const = ;');
    const entry = write('a.mjs', "import './broken.ts'; import './folder.json';");
    write('folder.json/inside.txt', '');
    await expect(serving(broken).describe(broken, NEW)).rejects.toMatchObject({
      code: 'ERR_OFFSITE_TYPESCRIPT',
      message: expect.stringContaining('broken.ts:1:'),
    });
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    expect(namesOf(modules)).toEqual(['a.mjs']);
    expect(failureOf(modules[0]!.imports['./broken.ts'])).toMatchObject({ code: 'ERR_OFFSITE_TYPESCRIPT' });
    expect(failureOf(modules[0]!.imports['./folder.json'])).toHaveProperty('code');
  });

  test('is described though what it gives further can not be read', async () => {
    const entry = write('a.cjs', "try { module.exports = require('./broken.cts'); } catch {} exports.a = 1;");
    write('broken.cts', 'const = ;');
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    expect(modules[0]!.url).toBe(entry);
    expect(failureOf(modules[0]!.requires['./broken.cts'])).toMatchObject({ code: 'ERR_OFFSITE_TYPESCRIPT' });
  });

  test('is described whatever characters the names have that it requires', async () => {
    const entry = write('a.cjs', "require('./100%.js'); require('./a#b.js'); require('./c%2fd.js');");
    write('100%.js', '');
    write('a#b.js', '');
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    expect(modules).toHaveLength(3);
    expect(failureOf(modules[0]!.requires['./c%2fd.js']).code).toBe('MODULE_NOT_FOUND');
    const module = write('m.mjs', "import './c%2fd.js'; import 'bare:'; import 'http:';");
    const edges = (await serving(module).describe(module, NEW))!.modules[0]!.imports;
    expect(failureOf(edges['./c%2fd.js']).code).toMatch(/^ERR_INVALID/);
  });
});

describe('what is missing', () => {
  test.each<[Way, string, string]>([
    ['import', './none.mjs', 'ERR_MODULE_NOT_FOUND'],
    ['import', 'no-such-package', 'ERR_MODULE_NOT_FOUND'],
    ['import', 'pkg/hidden.js', 'ERR_PACKAGE_PATH_NOT_EXPORTED'],
    ['require', './none', 'MODULE_NOT_FOUND'],
    ['require', 'no-such-package', 'MODULE_NOT_FOUND'],
  ])('by %s of %s is an edge that names the importer and the specifier', async (way, specifier, code) => {
    write('package.json', '{"name":"mine"}');
    write('node_modules/pkg/package.json', '{"name":"pkg","exports":"./a.js"}');
    const text = way === 'import' ? `import '${specifier}';` : `require('${specifier}');`;
    const entry = write(way === 'import' ? 'a.mjs' : 'a.cjs', text);
    const { modules } = (await serving(entry).describe(entry, NEW))!;
    const [module] = modules;
    const edge = failureOf((way === 'import' ? module!.imports : module!.requires)[specifier]);
    expect(edge.code).toBe(code);
    expect(edge.message).toContain(specifier.replace(/^(?:\.|pkg)\//, ''));
    expect(edge.message).toContain(at.path(way === 'import' ? 'a.mjs' : 'a.cjs'));
  });
});

describe('the JavaScript of a TypeScript file', () => {
  test('has white space where the types were, so that lines and columns stay true', async () => {
    write('package.json', '{"name":"mine","type":"module"}');
    const text = 'type A = string;\nexport const twice = (a: number): number => a * 2 as number;\n';
    const entry = write('a.ts', text);
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(modules[0]).toMatchObject({ format: 'module', made: true, mapped: false });
    const source = await textOf(sources, entry);
    expect(source).toHaveLength(text.length);
    expect(source.split('\n')).toHaveLength(3);
    expect(source.indexOf('twice')).toBe(text.indexOf('twice'));
    expect(source).not.toMatch(/number|type A/);
  });

  test('imports what is left when types are gone', async () => {
    const entry = write(
      'a.mts',
      "import type { T } from './types.mts'; import { b } from './b.mts'; export const a: T = b;",
    );
    write('types.mts', 'export type T = number;');
    write('b.mts', 'export const b = 1;');
    expect(namesOf((await serving(entry).describe(entry, NEW))!.modules)).toEqual(['a.mts', 'b.mts']);
  });

  test('holds what enums and the like stand for, with a map, as the site is told', async () => {
    const entry = write('b.cts', 'enum Colour { red = 3, blue }\nexports.blue = Colour.blue;');
    const sources = serving(entry);
    expect((await sources.describe(entry, NEW))!.modules[0]).toMatchObject({ made: true, mapped: true });
    expect(await textOf(sources, entry)).toMatch(/\/\/# sourceMappingURL=data:application\/json;base64,\S+$/);
  });
});

describe('a site', () => {
  test('is not told what it has installed, and is told what it has not', async () => {
    const first = write('a.mjs', "import './shared.mjs'; import './b.mjs';");
    write('shared.mjs', 'export {};');
    write('b.mjs', 'export {};');
    const second = write('c.mjs', "import './shared.mjs'; import './d.mjs';");
    write('d.mjs', 'export {};');
    const sources = serving(first, second);
    const one = (await sources.describe(first, NEW))!;
    const ahead = (await sources.describe(second, { installed: 0, sameDisk: false }))!;
    expect([one.generation, ahead.generation]).toEqual([1, 2]);
    expect(namesOf(ahead.modules)).toEqual(['c.mjs', 'shared.mjs', 'd.mjs']);
    expect((await sources.describe(first, { installed: 2, sameDisk: false }))!.modules).toEqual([]);
    const other = serving(first, second);
    const { generation } = (await other.describe(first, NEW))!;
    const delta = (await other.describe(second, { installed: generation, sameDisk: false }))!;
    expect(namesOf(delta.modules)).toEqual(['c.mjs', 'd.mjs']);
    expect(delta.modules[0]!.imports['./shared.mjs']).toEqual({ url: url('shared.mjs') });
  });

  test('gets a number of its own with each answer, because another may still be on its way', async () => {
    const entry = write('a.cjs', '');
    write('b.cjs', '');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    const numbers = [];
    for (const specifier of ['./none', './.env', 'node:fs', './b.cjs']) {
      numbers.push((await sources.resolve(specifier, entry, 'require', NEW))!.generation);
    }
    expect(numbers).toEqual([2, 3, 4, 5]);
  });

  test('is told anew what has changed when it asks for everything', async () => {
    const entry = write('a.mjs', "import './b.mjs';");
    write('b.mjs', 'export const b = 1;');
    const sources = serving(entry);
    const before = (await sources.describe(entry, NEW))!.modules;
    write('b.mjs', 'export const b = 22;');
    const after = (await sources.describe(entry, NEW))!.modules;
    expect(after[0]).toEqual(before[0]);
    expect(after[1]!.hash).not.toBe(before[1]!.hash);
    expect(await textOf(sources, entry)).toContain('b.mjs');
  });

  test('on the same disk is not told of packages, which it reads itself', async () => {
    write('package.json', '{"name":"mine"}');
    write('node_modules/pkg/package.json', '{"name":"pkg"}');
    write('node_modules/pkg/index.js', "require('./more');");
    write('node_modules/pkg/more.js', '');
    const entry = write('a.mjs', "import 'pkg'; import './b.mjs';");
    write('b.mjs', 'export {};');
    const sources = serving(entry);
    const { modules } = (await sources.describe(entry, { installed: 0, sameDisk: true }))!;
    expect(namesOf(modules)).toEqual(['a.mjs', 'b.mjs']);
    expect(modules[0]!.imports.pkg).toEqual({ url: url('node_modules/pkg/index.js') });
    expect(namesOf((await sources.describe(entry, NEW))!.modules)).toHaveLength(4);
  });

  test('may come by itself to code in what is served to it, and to nothing else', async () => {
    write('mine/package.json', '{"name":"mine"}');
    const entry = write('mine/a.mjs', 'export {};');
    const code = write('mine/src/b.ts', 'export const b: number = 1;');
    const sources = serving(entry);
    expect((await sources.describe(code, NEW))!.entry).toBe(code);
    for (const nothing of [
      write('other/c.ts', ''),
      url('mine/none.ts'),
      write('mine/.env', 'SECRET=1'),
      write('mine/id_rsa', 'SECRET'),
      write('mine/notes.txt', 'SECRET'),
      symlink('mine/env.js', 'mine/.env'),
      symlink('mine/out.js', 'other/c.ts'),
      pathToFileURL('/etc/passwd').href,
      'file://[',
      'file:///%00.js',
      'https://example.org/a.ts',
      './src/b.ts',
    ]) {
      expect(await sources.describe(nothing, NEW), nothing).toBeUndefined();
    }
  });
});

describe('what a module comes to at run time', () => {
  test('is described with all that it imports, from where the module really lies', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.cjs', "require('./' + 'b');");
    write('b.js', "require('./c.json');");
    write('c.json', '1');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    const answer = (await sources.resolve('./b', entry, 'require', { installed: 1, sameDisk: false }))!;
    expect(answer.edge).toEqual({ url: url('b.js') });
    expect(namesOf(answer.modules)).toEqual(['b.js', 'c.json']);
  });

  test('follows the rules of import or of require, as it is asked', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.mjs', 'export {};');
    write(
      'node_modules/pkg/package.json',
      '{"name":"pkg","exports":{"import":"./esm.mjs","require":"./common.js"}}',
    );
    write('node_modules/pkg/esm.mjs', 'export {};');
    write('node_modules/pkg/common.js', '');
    const sources = serving(entry);
    expect(await edgeOf(sources, 'pkg', entry, 'import')).toEqual({ url: url('node_modules/pkg/esm.mjs') });
    expect(await edgeOf(sources, 'pkg', entry)).toEqual({ url: url('node_modules/pkg/common.js') });
  });

  test('is nothing if the importer is none that was linked or described', async () => {
    write('package.json', '{"name":"mine"}');
    const entry = write('a.cjs', "require('./b.cjs');");
    write('b.cjs', '');
    const stranger = write('stranger.cjs', '');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    for (const importer of [stranger, url('none.cjs'), 'file:///etc/hosts', '/etc/hosts', '', 'nonsense']) {
      expect(await sources.resolve('./b.cjs', importer, 'require', NEW), importer).toBeUndefined();
    }
    expect(await edgeOf(sources, './a.cjs', url('b.cjs'))).toEqual({ url: entry });
  });
});

describe('a disk that changes', () => {
  test('is read as it is now, and what has gone is an error for whoever needs it', async () => {
    const entry = write('a.mjs', "import './b.mjs';");
    const other = write('b.mjs', 'export {};');
    const sources = serving(entry);
    await sources.describe(entry, NEW);
    renameSync(at.path('b.mjs'), at.path('c.mjs'));
    const { modules } = (await sources.describe(entry, NEW))!;
    expect(failureOf(modules[0]!.imports['./b.mjs']).code).toBe('ERR_MODULE_NOT_FOUND');
    rmSync(at.path('a.mjs'));
    await expect(sources.describe(entry, NEW)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await edgeOf(sources, './c.mjs', other, 'import')).toEqual({ url: url('c.mjs') });
  });
});

import { describe, expect, test } from 'vitest';
import { closureOf, follow } from '../../../lib/module/source/closure.ts';
import { Roots } from '../../../lib/module/source/roots.ts';
import { disk, failureOf, namesOf } from './disk.ts';

const at = disk();
const { write, url } = at;

const walk = async (entry: string, known: readonly string[] = [], sameDisk = false) => {
  const roots = new Roots();
  roots.add(at.folder);
  const found = await closureOf(entry, { roots, known: (each) => known.includes(each), sameDisk });
  return found.map(({ described }) => described);
};

describe('a closure', () => {
  test('has each module once, the entry first, however they import each other', async () => {
    const entry = write('a.mjs', "import './b.mjs'; import './c.mjs'; import './a.mjs';");
    write('b.mjs', "import './c.mjs'; import './d.mjs';");
    write('c.mjs', "import './b.mjs';");
    write('d.mjs', "import './a.mjs';");
    expect(namesOf(await walk(entry))).toEqual(['a.mjs', 'b.mjs', 'c.mjs', 'd.mjs']);
  });

  test('goes on behind more modules than are read at once, and to any depth', async () => {
    const count = 100;
    const all = Array.from({ length: count }, (_, i) => `import './wide${i}.mjs';`).join('');
    const entry = write('a.mjs', all);
    for (let i = 0; i < count; i++) write(`wide${i}.mjs`, `import './deep${i}.mjs';`);
    for (let i = 0; i < count; i++) write(`deep${i}.mjs`, i > 0 ? `import './deep${i - 1}.mjs';` : '');
    expect(await walk(entry)).toHaveLength(1 + 2 * count);
  });

  test('ends at what the site knows, and is empty if that is the entry', async () => {
    const entry = write('a.mjs', "import './b.mjs';");
    write('b.mjs', "import './c.mjs';");
    write('c.mjs', '');
    expect(namesOf(await walk(entry, [url('b.mjs')]))).toEqual(['a.mjs']);
    expect(await walk(entry, [entry])).toEqual([]);
  });

  test('has for a CommonJS module all names that an import finds, those of others included', async () => {
    const entry = write('a.cjs', "module.exports = require('./b.cjs'); exports.a = exports.default = 1;");
    write('b.cjs', "exports.b = 1; __exportStar(require('./c.cjs'), exports); exports.a = 2;");
    write('c.cjs', "module.exports = require('./a.cjs'); module.exports.c = 1; exports.c = 1;");
    const [first] = await walk(entry);
    expect([...first!.names].sort()).toEqual(['a', 'b', 'c']);
  });

  test('says on each edge why what it leads to can not be read', async () => {
    const entry = write('a.mjs', "import './b.mjs'; import './c.mjs';");
    write('b.mjs', "import './broken.mts';");
    write('c.mjs', "import './broken.mts';");
    write('broken.mts', 'const = ;');
    const [first, ...others] = await walk(entry);
    expect(first!.imports).toEqual({ './b.mjs': { url: url('b.mjs') }, './c.mjs': { url: url('c.mjs') } });
    for (const { imports } of others) {
      expect(failureOf(imports['./broken.mts'])).toMatchObject({ code: 'ERR_OFFSITE_TYPESCRIPT' });
    }
  });

  test('has edges to no system module and to nothing on the web', async () => {
    const entry = write('a.mjs', "import 'node:fs'; import 'os'; import 'https://example.org/a.js';");
    expect((await walk(entry))[0]!.imports).toEqual({});
  });
});

describe('a specifier that is followed', () => {
  test('makes the package to which it leads a served one, by its name and in no other way', () => {
    write('app/package.json', '{"name":"app"}');
    const importer = write('app/a.mjs', '');
    write('packages/lib/package.json', '{"name":"lib","main":"./index.js"}');
    write('packages/lib/index.js', '');
    write('packages/lib/more.js', '');
    at.symlink('node_modules/lib', 'packages/lib');
    const roots = new Roots();
    roots.add(at.path('app'));
    const more = () => follow('../packages/lib/more.js', importer, 'import', roots);
    expect(failureOf(more()).code).toBe('ERR_OFFSITE_NOT_SERVED');
    expect(failureOf(follow('lib/../lib/more.js', importer, 'require', roots)).code).toBe(
      'ERR_OFFSITE_NOT_SERVED',
    );
    expect(failureOf(more()).code).toBe('ERR_OFFSITE_NOT_SERVED');
    expect(follow('lib', importer, 'import', roots)).toEqual({ url: url('packages/lib/index.js') });
    expect(more()).toEqual({ url: url('packages/lib/more.js') });
  });
});

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInThisContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Sources } from '../../lib/module/source.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite source ')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return pathToFileURL(path).href;
};

describe('the JavaScript of a TypeScript file', () => {
  test('has white space where the types were, so that lines and columns stay true', async () => {
    write('package.json', '{"type":"module"}');
    const text = 'type A = string;\nexport const twice = (a: number): number => a * 2 as number;\n';
    const url = write('a.ts', text);
    const sources = new Sources();
    sources.serve(url);
    const { source, format } = await sources.source(url);
    expect(format).toBe('module');
    expect(source).toHaveLength(text.length);
    expect(source.split('\n')).toHaveLength(3);
    expect(source.indexOf('twice')).toBe(text.indexOf('twice'));
    expect(source).not.toMatch(/number|type A/);
  });

  test('holds what enums and parameter properties stand for, with a map', async () => {
    write('package.json', '{"type":"commonjs"}');
    const url = write(
      'b.ts',
      'enum Colour { red = 3, blue }\nclass P { constructor(public x: number) {} }\n[Colour.blue, new P(7).x];',
    );
    const sources = new Sources();
    sources.serve(url);
    const { source, format } = await sources.source(url);
    expect(format).toBe('commonjs');
    expect(runInThisContext(source)).toEqual([4, 7]);
    expect(source).toMatch(/sourceMappingURL=data:application\/json;base64,/);
  });

  test.each([
    ['a.mts', 'commonjs', 'module'],
    ['a.cts', 'module', 'commonjs'],
    ['a.ts', 'module', 'module'],
    ['a.ts', 'commonjs', 'commonjs'],
    ['a.ts', undefined, 'commonjs'],
  ])('%s in a package of type %s is a %s', async (name, type, format) => {
    write('package.json', JSON.stringify({ type }));
    const url = write(name, 'const a: number = 1;');
    const sources = new Sources();
    sources.serve(url);
    expect((await sources.source(url)).format).toBe(format);
  });

  test('rejects with a SyntaxError or the like when there is no valid TypeScript', async () => {
    write('package.json', '{}');
    const url = write('a.ts', 'const = ;');
    const sources = new Sources();
    sources.serve(url);
    await expect(sources.source(url)).rejects.toBeDefined();
  });
});

describe('sources', () => {
  test('are given of the package of what was linked, and of nothing else', async () => {
    write('mine/package.json', '{}');
    write('other/package.json', '{}');
    write('mine-too/package.json', '{}');
    const linked = write('mine/src/a.ts', 'const a = 1;');
    const beside = write('mine/lib/b.ts', 'const b = 1;');
    const outside = write('other/c.ts', 'const c = 1;');
    const similar = write('mine-too/d.ts', 'const d = 1;');
    const sources = new Sources();
    const refused = expect.objectContaining({ code: 'ERR_OFFSITE_NOT_SERVED' });
    await expect(sources.source(linked)).rejects.toEqual(refused);
    sources.serve(linked);
    await sources.source(linked);
    await sources.source(beside);
    await expect(sources.source(outside)).rejects.toEqual(refused);
    await expect(sources.source(similar)).rejects.toEqual(refused);
    await expect(sources.source(`${new URL('.', linked)}../../other/c.ts`)).rejects.toEqual(refused);
    await expect(sources.source(pathToFileURL('/etc/passwd').href)).rejects.toEqual(refused);
    sources.serve(outside);
    await sources.source(outside);
  });

  test('are not given through a link that leads out of the package', async () => {
    write('mine/package.json', '{}');
    const linked = write('mine/a.ts', 'const a = 1;');
    write('secret.ts', 'const secret = 1;');
    symlinkSync(join(folder, 'secret.ts'), join(folder, 'mine', 'innocent.ts'));
    const sources = new Sources();
    sources.serve(linked);
    await expect(
      sources.source(pathToFileURL(join(folder, 'mine', 'innocent.ts')).href),
    ).rejects.toMatchObject({
      code: 'ERR_OFFSITE_NOT_SERVED',
    });
  });

  test('are given of a package that is reached through a link, as a workspace is', async () => {
    write('packages/real/package.json', '{}');
    write('packages/real/a.ts', 'const a: number = 1;');
    symlinkSync(join(folder, 'packages', 'real'), join(folder, 'linked'));
    const url = pathToFileURL(join(folder, 'linked', 'a.ts')).href;
    const sources = new Sources();
    sources.serve(url);
    expect((await sources.source(url)).source).toContain('const a');
  });

  test('are the folder alone where there is no package', async () => {
    const linked = write('lone/a.ts', 'const a = 1;');
    const above = write('b.ts', 'const b = 1;');
    const sources = new Sources();
    sources.serve(linked);
    await sources.source(linked);
    await expect(sources.source(above)).rejects.toMatchObject({ code: 'ERR_OFFSITE_NOT_SERVED' });
  });

  test('have nothing to do with what is no file, or is not there', async () => {
    const sources = new Sources();
    sources.serve('https://example.org/a.ts');
    sources.serve('data:text/javascript,0');
    sources.serve(pathToFileURL(join(folder, 'none.ts')).href);
    await expect(sources.source(pathToFileURL(join(folder, 'none.ts')).href)).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(sources.source('https://example.org/a.ts')).rejects.toThrow(TypeError);
  });
});

import { runInThisContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { isTypeScript, strip } from '../../../lib/module/source/strip.ts';

describe('a file is TypeScript', () => {
  test.each(['a.ts', '/x/a.mts', 'a.cts', 'a.d.ts'])('by its name: %s', (path) => {
    expect(isTypeScript(path)).toBe(true);
  });
  test.each(['a.js', 'a.tsx', 'ts', 'a.ts.js', 'a.xts', 'a.ts/b'])('or is not: %s', (path) => {
    expect(isTypeScript(path)).toBe(false);
  });
});

describe('TypeScript', () => {
  test('loses its types and nothing else, so that every character stays in its place', async () => {
    const text = 'interface A { a: string }\nconst a = <T,>(x: T): T => x!;\na<number>(1) as unknown;';
    const { code, mapped } = await strip(text, '/a.ts');
    expect(mapped).toBe(false);
    expect(code).toHaveLength(text.length);
    for (const word of ['const a', '=> x', '(1)']) expect(code.indexOf(word)).toBe(text.indexOf(word));
    expect(code.replaceAll(' ', '')).toBe('\nconsta=(x)=>x;\na(1);');
  });

  test('that needs code of its own gets it, with a map to its lines', async () => {
    const text =
      'enum Colour { red = 3, blue }\nclass P { constructor(public x: number) {} }\n[Colour.blue, new P(7).x];';
    const { code, mapped } = await strip(text, '/folder/b.ts');
    expect(mapped).toBe(true);
    expect(runInThisContext(code)).toEqual([4, 7]);
    const [, data] = /\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)$/.exec(code)!;
    const map = JSON.parse(Buffer.from(data!, 'base64').toString());
    expect(map).toMatchObject({
      version: 3,
      sources: ['/folder/b.ts'],
      mappings: expect.stringMatching(/./),
    });
  });

  test('that is none rejects with its place, the reason and the line', async () => {
    const failing = strip('const a = 1;\nconst  = 2;', '/folder/c.ts');
    await expect(failing).rejects.toMatchObject({
      name: 'TypeScriptError',
      code: 'ERR_OFFSITE_TYPESCRIPT',
      message: expect.stringMatching(/^\/folder\/c\.ts:2:\d+: .*JavaScript.*const {2}= 2/s),
    });
  });
});

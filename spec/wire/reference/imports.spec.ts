import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Imports } from '../../../lib/wire/reference/imports.ts';
import { settled } from '../pair.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects until something has happened because of it; the test's own bound ends it otherwise. */
const collectUntil = async (happened: () => boolean): Promise<void> => {
  while (!happened()) {
    gc();
    await settled();
  }
};

const table = () => {
  const released: [number, number][] = [];
  let made = 0;
  const imports = new Imports(
    (id) => ({ id, nth: ++made }),
    (id, count) => void released.push([id, count]),
  );
  return { imports, released };
};

describe('the table of imports', () => {
  test('has one proxy for a value as long as that is alive', () => {
    const { imports } = table();
    const proxy = imports.introduced(-1);
    expect(imports.introduced(-1)).toBe(proxy);
    expect(imports.introduced(-2)).not.toBe(proxy);
    expect(imports.size).toBe(2);
  });

  test('gives back all introductions at once when a value is dropped, and only once', () => {
    const { imports, released } = table();
    imports.introduced(-1);
    imports.introduced(-1);
    imports.introduced(-1);
    imports.drop(-1);
    imports.drop(-1);
    expect(released).toEqual([[-1, 3]]);
    expect(imports.size).toBe(0);
  });

  test('drops a value whose proxy was collected', async () => {
    const { imports, released } = table();
    const held = imports.introduced(-1);
    for (let i = 0; i < 3; i++) imports.introduced(-2);
    await collectUntil(() => released.length > 0);
    expect(released).toEqual([[-2, 3]]);
    expect(imports.introduced(-1)).toBe(held);
  });

  test('counts on when a value comes again after its proxy was collected, and gives back each once', async () => {
    const { imports, released } = table();
    let seen = 0;
    const introduce = () => {
      seen++;
      return (imports.introduced(-1) as { nth: number }).nth;
    };
    while (introduce() === 1) {
      await settled();
      gc();
    }
    await collectUntil(() => released.reduce((sum, [, count]) => sum + count, 0) === seen);
    expect(imports.size).toBe(0);
  });

  test('gives nothing back when the peer is gone', () => {
    const { imports, released } = table();
    imports.introduced(-1);
    imports.clear();
    imports.drop(-1);
    expect(released).toEqual([]);
    expect(imports.size).toBe(0);
  });
});

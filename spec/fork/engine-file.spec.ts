import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { engineFile } from '../../lib/fork/engine-file.ts';

describe('the engine file', () => {
  test('is read once, with its hash', () => {
    const file = engineFile();
    expect(engineFile()).toBe(file);
    expect(file.bytes).toEqual(readFileSync(file.path!));
    expect(file.hash).toBe(createHash('sha256').update(file.bytes).digest('hex'));
  });

  test('needs nothing but Node.js', () => {
    const wanted = [
      ...engineFile()
        .bytes.toString()
        .matchAll(/\brequire\(["']([^"']+)["']\)/g),
    ].map(([, specifier]) => specifier!);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((specifier) => !isBuiltin(specifier))).toEqual([]);
  });
});

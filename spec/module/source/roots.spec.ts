import { describe, expect, test } from 'vitest';
import { Roots } from '../../../lib/module/source/roots.ts';

describe('the folders that are served', () => {
  test('hold what is in them, and what is in the node_modules around', () => {
    const roots = new Roots();
    expect(roots.has('/home/ada/mine/a.js')).toBe(false);
    roots.add('/home/ada/mine');
    for (const path of [
      '/home/ada/mine',
      '/home/ada/mine/deep/a.js',
      '/home/ada/mine/node_modules/pkg/a.js',
      '/home/ada/node_modules/pkg/a.js',
      '/node_modules/pkg/a.js',
    ]) {
      expect(roots.has(path), path).toBe(true);
    }
    for (const path of [
      '/home/ada',
      '/home/ada/b.js',
      '/home/ada/mine-too/a.js',
      '/home/ada/other/node_modules/pkg/a.js',
      '/home/ada/node_modules_too/a.js',
      '/etc/passwd',
      '/',
    ]) {
      expect(roots.has(path), path).toBe(false);
    }
  });

  test('hold everything if that is what the user wants', () => {
    const roots = new Roots();
    roots.add('/');
    expect(roots.has('/etc/passwd')).toBe(true);
  });
});

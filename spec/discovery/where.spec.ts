import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseWhere, readWhere } from '../../lib/discovery/where.ts';
import { OptionError } from '../../lib/wire/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'offsite-where-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where nodes are looked for', () => {
  it.each([
    ['auto', { kind: 'auto' }],
    ['node-1', { kind: 'static', address: { host: 'node-1', port: 35_000 } }],
    ['node-1:7', { kind: 'static', address: { host: 'node-1', port: 7 } }],
    ['[::1]:7', { kind: 'static', address: { host: '::1', port: 7 } }],
    ['::1', { kind: 'static', address: { host: '::1', port: 35_000 } }],
    ['node-1:*', { kind: 'host', host: 'node-1' }],
    ['[fd00::2]:*', { kind: 'host', host: 'fd00::2' }],
    ['srv:example.org', { kind: 'srv', name: '_offsite._tcp.example.org' }],
    ['srv:_other._tcp.example.org.', { kind: 'srv', name: '_other._tcp.example.org' }],
  ])('reads %s', (word, where) => {
    expect(parseWhere(word)).toEqual({ word, ...where });
  });

  it.each(['', 'a:b', 'a:0', 'a:70000', '[a]:7', 'srv:', 'srv:a b', 'a b', 'user@host', '*'])(
    'refuses %j and says what a word may be',
    (word) => {
      expect(() => parseWhere(word)).toThrow(OptionError);
      expect(() => parseWhere(word)).toThrow(/host:\*/);
    },
  );

  it('reads the words of a file, each once, without comments', async () => {
    const file = join(folder, 'nodes');
    writeFileSync(file, '# ours\nnode-1\n\n node-2:7 # the old one\nauto\n');
    const words = await readWhere(['auto', `@${file}`]);
    expect(words.map(({ word }) => word)).toEqual(['auto', 'node-1', 'node-2:7']);
  });

  it('says which file can not be read', async () => {
    await expect(readWhere([`@${join(folder, 'none')}`])).rejects.toThrow(/none can not be read: ENOENT/);
  });

  it('wants a word', async () => {
    await expect(readWhere([])).rejects.toThrow(OptionError);
  });
});

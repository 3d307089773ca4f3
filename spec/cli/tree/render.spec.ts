import { describe, expect, test } from 'vitest';
import { bytesText, durationText, treeText } from '../../../lib/cli/tree/render.ts';
import type { TreeNode } from '../../../lib/engine/tree.ts';

const tree: TreeNode = {
  kind: 'root',
  name: 'program.js',
  state: 'running',
  host: 'bamse',
  pid: 7,
  memory: 50 * 2 ** 20,
  uptime: 61_000,
  children: [
    {
      kind: 'supervisor',
      name: 'top',
      state: 'running',
      strategy: 'one_for_all',
      children: [
        {
          kind: 'site',
          name: 'a',
          state: 'up',
          restarts: 2,
          host: 'localhost',
          fork: 'sh',
          pid: 12345,
          inFlight: 1,
          unanswered: 'late',
          children: [],
        },
        { kind: 'actor', name: 'b\u001b[2J', state: 'down', restarts: 0, children: [] },
      ],
    },
    { kind: 'site', name: 'c', state: 'ready', children: [] },
  ],
};

describe('a tree on a terminal', () => {
  test('is aligned, and keeps what would move the cursor from it', () => {
    expect(treeText([tree])).toBe(
      [
        'NAME         KIND                    STATE          HOST       FORK    PID  RESTARTS  CALLS    MEMORY  UPTIME',
        'program.js   root                    running        bamse                7                   50.0 MiB   1m 1s',
        '├─ top       supervisor one_for_all  running',
        '│  ├─ a      site                    up, no answer  localhost  sh    12345         2      1',
        '│  └─ b?[2J  actor                   down                                          0',
        '└─ c         site                    ready',
        '',
      ].join('\n'),
    );
  });

  test('has no line longer than the terminal is wide', () => {
    for (const line of treeText([tree], 30).split('\n')) expect(line.length).toBeLessThanOrEqual(30);
  });
});

describe('numbers for people', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 KiB'],
    [123 * 2 ** 20, '123 MiB'],
    [5.25 * 2 ** 30, '5.3 GiB'],
    [5_000 * 2 ** 40, '5000 TiB'],
  ])('%i bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  test.each([
    [0, '0.0s'],
    [9_940, '9.9s'],
    [59_999, '59s'],
    [60_000, '1m 0s'],
    [3_599_000, '59m 59s'],
    [86_399_000, '23h 59m'],
    [90_000_000, '1d 1h'],
  ])('%i ms are %s', (ms, text) => expect(durationText(ms)).toBe(text));
});

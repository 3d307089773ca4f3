import { expect, test } from 'vitest';
import { matchesState } from 'xstate';
import { matches, reportOf, snapshotOf } from '../../../actors/remote-actor/snapshot.ts';

test('state values match as they do in XState', () => {
  const values = [
    'a',
    'b',
    { a: 'b' },
    { a: { b: 'c' } },
    { a: 'b', d: 'e' },
    { a: { b: 'c', x: 'y' }, d: {} },
  ];
  const wanted = [...values, 'a.b', 'a.b.c', 'd', { a: 'b.c' }, 'z'];
  for (const value of values) {
    for (const each of wanted) {
      const says = { value, each, matches: matches(each, value) };
      expect(says).toEqual({ value, each, matches: matchesState(each, value) });
    }
  }
});

test('a snapshot that is no machine’s crosses without what it keeps for itself, and gets its input here', () => {
  const snapshot = {
    status: 'active',
    output: undefined,
    error: undefined,
    context: 1,
    input: 2,
    _subscription: {},
  } as const;
  const report = reportOf(snapshot);
  expect(report).toEqual({ status: 'active', output: undefined, error: undefined, context: 1 });
  expect(snapshotOf(report, 3)).toEqual({
    status: 'active',
    output: undefined,
    error: undefined,
    context: 1,
    input: 3,
  });
});

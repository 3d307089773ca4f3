import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Explorer } from '../../examples/search/explorer.js';
import { type Choice, type Relation, Space } from '../../examples/search/fd.js';

interface Linear {
  coefficients: number[];
  relation: Relation;
  constant: number;
}

const relations = {
  '=': (a: number, b: number) => a === b,
  '≠': (a: number, b: number) => a !== b,
  '≤': (a: number, b: number) => a <= b,
  '≥': (a: number, b: number) => a >= b,
  '<': (a: number, b: number) => a < b,
  '>': (a: number, b: number) => a > b,
};

const linear: fc.Arbitrary<Linear> = fc.record({
  coefficients: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 3, maxLength: 3 }),
  relation: fc.constantFrom(...(Object.keys(relations) as Relation[])),
  constant: fc.integer({ min: -8, max: 8 }),
});

const problems = fc.record({
  lows: fc.array(fc.integer({ min: -3, max: 30 }), { minLength: 3, maxLength: 3 }),
  sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 3 }),
  rules: fc.array(linear, { maxLength: 3 }),
  isDistinct: fc.boolean(),
  strategy: fc.constantFrom('naive' as const, 'ff' as const, 'split' as const),
});

/** Too large for bits. */
const WIDE = 5_000;

type Problem = typeof problems extends fc.Arbitrary<infer P> ? P : never;

const spaceOf = ({ lows, sizes, rules, isDistinct, strategy }: Problem): Space => {
  const space = new Space();
  const three = lows.map((low, index) => space.variable(low, low + sizes[index]! - 1));
  const sum = space.variable(-WIDE, WIDE);
  space.linear([1, 10, 100, -1], [...three, sum], '=', 0);
  for (const { coefficients, relation, constant } of rules) {
    space.linear(coefficients, three, relation, constant);
  }
  if (isDistinct) space.distinct(three);
  space.distribute(strategy, [sum, ...three]);
  space.root = three;
  return space;
};

/** The same by trying all. */
const byTrying = ({ lows, sizes, rules, isDistinct }: Problem): number[][] => {
  const found: number[][] = [];
  const [a, b, c] = lows.map((low, index) => Array.from({ length: sizes[index]! }, (_, at) => low + at));
  for (const x of a!)
    for (const y of b!)
      for (const z of c!) {
        const values = [x, y, z];
        const holds = rules.every(({ coefficients, relation, constant }) =>
          relations[relation](
            values.reduce((sum, value, index) => sum + coefficients[index]! * value, 0),
            constant,
          ),
        );
        if (holds && !(isDistinct && new Set(values).size < 3)) {
          found.push([...values, x + 10 * y + 100 * z]);
        }
      }
  return found;
};

/** Explores a tree in parts: now and then the highest node is given away, or all that is left is explored anew. */
const inParts = (root: Space, events: Iterator<number>): number[][] => {
  const found: number[][] = [];
  const nodes: (readonly Choice[])[] = [[]];
  for (let path = nodes.pop(); path; path = nodes.pop()) {
    const explorer = new Explorer(root, { path });
    while (!explorer.isDone) {
      explorer.step();
      const event = events.next().value as number;
      const given = event === 1 ? explorer.give() : undefined;
      if (given) nodes.push(given);
      if (event !== 2) continue;
      // As if its process had died after it told how far it was.
      nodes.push(...explorer.open);
      break;
    }
    found.push(...explorer.found);
  }
  return found;
};

const sorted = (answers: number[][]) => answers.map(String).sort();

test('All answers are found, and each of them once, however the tree is divided', () => {
  fc.assert(
    fc.property(problems, fc.infiniteStream(fc.constantFrom(0, 0, 1, 2)), (problem, events) => {
      const space = spaceOf(problem);
      const answers = space.propagate() ? inParts(space, events) : [];
      expect(sorted(answers)).toEqual(sorted(byTrying(problem)));
    }),
    { numRuns: 300 },
  );
});

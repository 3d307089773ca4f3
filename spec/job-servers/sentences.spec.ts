import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The examples of dispy (A), Parallel Python (B) and Octave (C), and the defects seen in them (D), as they were counted. */
const count = (letter: string, ...numbers: number[]) => numbers.map((number) => `${letter}${number}`);
const SENTENCES = [
  ...count('A', 1, 2, 3, 7, 8, 11, 12),
  ...count('B', 1, 2, 3, 4, 5, 6),
  ...count('C', 1, 2, 3, 4, 5, 6, 7, 8, 9),
  ...count('D', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
];

const FOLDERS = ['job-servers', 'actors/job-server', 'actors/daemon', 'actors/network', 'access', 'cli'];

/** Titles that begin with numbers, as "D1. 200 trivial jobs …", "A11: …" or "C4, C5: …", also in tables of cases. */
const TITLE = /\b(?:test|it|describe)(?:\.\w+)*(?:\([^'"`]*\))?\(\s*['"`]((?:[A-D]\d+, )*[A-D]\d+)[.:] /g;
/** A table of cases comes between `each` and the title. */
const TITLE_OF_CASES = /^\s*['"`]((?:[A-D]\d+, )*[A-D]\d+)[.:] .*['"`],$/gm;

const specified = (): Set<string> => {
  const found = new Set<string>();
  for (const folder of FOLDERS) {
    const path = new URL(`../${folder}/`, import.meta.url);
    for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.spec.ts')) continue;
      const text = readFileSync(new URL(file, path), 'utf8');
      for (const [, numbers] of [TITLE, TITLE_OF_CASES].flatMap((title) => [...text.matchAll(title)])) {
        for (const number of numbers!.split(', ')) found.add(number);
      }
    }
  }
  return found;
};

test('each sentence about the other job servers is a spec by its number', () => {
  const found = specified();
  expect(SENTENCES.filter((sentence) => !found.has(sentence))).toEqual([]);
});

test('specs speak of sentences that there are', () => {
  expect([...specified()].filter((number) => !SENTENCES.includes(number))).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The behaviours that the suites of Julia's Distributed and of its relatives test, as they were counted for this package. */
const NUMBERS = [
  1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22, 23, 25, 26, 28, 29, 31, 32, 34, 35, 37, 38, 40, 41,
  43, 44, 46, 47, 49, 50, 52, 53, 55, 56, 58, 59, 61, 62, 64, 65, 67, 68, 70, 71, 73, 74, 76, 77, 79, 80, 82,
  83, 85, 86, 88, 89, 91, 92, 94, 95, 97, 98, 100, 101, 103, 104, 106, 107, 109, 110, 112, 113, 115, 116, 118,
  119, 121, 122, 124, 125, 127, 128, 130, 131, 133, 134, 136, 137, 139, 140, 142, 143, 145, 146, 148, 149,
  151, 152, 154, 155,
];

const here = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, here), 'utf8');
const numbersIn = (text: string): number[] => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));

/** Titles that begin with numbers, as "44. A remote call …", "28: …", "94. and 97. …", or name them in brackets. */
const TITLES = [
  /\b(?:test|it|chosen|describe)(?:\.\w+)*\(\s*['"`]((?:\d+, )*\d+[.:](?: and \d+[.:])*) /g,
  /['"`(]behaviours? (\d+(?:(?:, | and )\d+)*)/g,
];

/** Where specs are named by these numbers; elsewhere a number in a title is one like any other. */
const FOLDERS = /^(?:julia|cluster|actors.cluster|actors.pool)\b/;

const specified = (): Set<number> => {
  const found = new Set<number>();
  for (const file of readdirSync(new URL('spec/', here), { recursive: true, encoding: 'utf8' })) {
    if (!FOLDERS.test(file) || !file.endsWith('.spec.ts')) continue;
    const text = read(`spec/${file}`);
    for (const [, numbers] of TITLES.flatMap((title) => [...text.matchAll(title)])) {
      for (const number of numbersIn(numbers!)) found.add(number);
    }
  }
  return found;
};

/** The numbers in the first column of the page's table of what has no meaning here. */
const leftOut = (): number[] => {
  const [, section] = /## Behaviours that have no meaning here\n(.*?)(?=\n## )/s.exec(
    read('docs/coming-from-julia.md'),
  )!;
  return [...section!.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, numbers]) => numbersIn(numbers!));
};

test('each behaviour of Julia’s suites is a spec by its number, or the page says why it has no meaning here', () => {
  const [specs, reasons] = [specified(), leftOut()];
  expect(NUMBERS.filter((number) => !specs.has(number) && !reasons.includes(number))).toEqual([]);
});

test('what the page leaves out is no spec, and both speak of behaviours that there are', () => {
  const [specs, reasons] = [specified(), leftOut()];
  expect(reasons.filter((number) => specs.has(number))).toEqual([]);
  expect([...specs, ...reasons].filter((number) => !NUMBERS.includes(number))).toEqual([]);
});

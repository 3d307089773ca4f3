// Each letter is another digit, and the sum is right.
import { Space } from '../fd.js';

/** `[[1000, …], [S, …]]` of a word: its letters with what each is worth. */
const weights = (word, sign) => [...word].map((_, index) => sign * 10 ** (word.length - 1 - index));

/** A puzzle a + b = c. */
const puzzle = (a, b, c) => {
  const space = new Space();
  const letters = [...new Set(a + b + c)];
  space.root = Object.fromEntries(letters.map((letter) => [letter, space.variable(0, 9)]));
  const variables = letters.map((letter) => space.root[letter]);
  space.distinct(variables);
  for (const [first] of [a, b, c]) space.linear([1], [space.root[first]], '≠', 0);
  space.linear(
    [...weights(a, 1), ...weights(b, 1), ...weights(c, -1)],
    [...(a + b + c)].map((letter) => space.root[letter]),
    '=',
    0,
  );
  space.distribute('ff', variables);
  return space;
};

/** SEND + MORE = MONEY, which has one answer. */
export const sendMoreMoney = () => puzzle('SEND', 'MORE', 'MONEY');

/** SEND + MOST = MONEY has several; the best is the one with the most money. */
export const sendMostMoney = () => {
  const space = puzzle('SEND', 'MOST', 'MONEY');
  const money = [...'MONEY'];
  space.order((better, best) => {
    const least = money.reduce((sum, letter) => sum * 10 + best[letter], 0);
    better.linear(
      weights('MONEY', 1),
      money.map((letter) => better.root[letter]),
      '>',
      least,
    );
  });
  return space;
};

// Mozart's Search.parallel: puzzles are searched by workers on this host and others, which share the work as it comes up.
//
//   node examples/parallel-search.js [HOST:N …]     without a host, one worker for each core of this one
import { availableParallelism } from 'node:os';
import { functionsOf } from 'offsite';
import { ParallelSearch } from './search/parallel-search.js';

const { sendMoreMoney, sendMostMoney } = functionsOf(new URL('./search/scripts/money.js', import.meta.url));
const { queens } = functionsOf(new URL('./search/scripts/queens.js', import.meta.url));

const given = process.argv.slice(2).map((word) => word.split(':'));
const workers = Object.fromEntries(given.map(([host, count = '1']) => [host, Number(count)]));
const search = new ParallelSearch(given.length > 0 ? workers : { localhost: availableParallelism() });
try {
  const [money] = await search.one(sendMoreMoney);
  const value = (word) => [...word].map((letter) => money[letter]).join('');
  console.log(`SEND + MORE = MONEY: ${value('SEND')} + ${value('MORE')} = ${value('MONEY')}`);

  const [most] = await search.best(sendMostMoney);
  console.log(`SEND + MOST = MONEY, the most of it: ${[...'MONEY'].map((letter) => most[letter]).join('')}`);

  for (const size of [6, 8, 10]) {
    const began = performance.now();
    const answers = await search.all(queens, size);
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    console.log(`${size} queens stand in ${answers.length} ways, found in ${seconds} s`);
  }
} finally {
  await search.close();
}

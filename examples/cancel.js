// A computation in a site without an end: once it is told when to answer, and once it is given up.
//
//   node examples/cancel.js HOST     any host where `ssh HOST node --version` answers; without it, this one
import { setTimeout } from 'node:timers/promises';
import { RemoteManager, withOptions } from 'offsite';

const [host = 'localhost'] = process.argv.slice(2);
const site = new RemoteManager({ host });
try {
  /** @type {import('offsite').Remote<typeof import('./pi.ts')>} */
  const module = await site.link(new URL('./pi.ts', import.meta.url));

  // A signal as an argument: the function over there hears of it, and answers with the best that it has.
  const { pi, darts } = await module.estimate(AbortSignal.timeout(200));
  console.log(`enough after 200 ms: ${pi.toFixed(3)} by ${darts > 0 ? 'some' : 'no'} darts`);

  // A bound of the call: it rejects here at once, and the function over there is told by its callSignal().
  const estimate = withOptions(module.estimate, { timeout: 200 });
  await estimate().catch((error) => console.log(`given up: ${error.code}`));

  while ((await module.busy()) > 0) await setTimeout(10);
  console.log('nothing runs over there any more');
} finally {
  await site.close();
}

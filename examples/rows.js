// Rows of a generator in a site, as they come, until the caller has seen enough.
//
//   node examples/rows.js HOST     any host where `ssh HOST node --version` answers; without it, this one
import { setTimeout } from 'node:timers/promises';
import { RemoteManager } from 'offsite';

const [host = 'localhost'] = process.argv.slice(2);
const site = new RemoteManager({ host });
try {
  /** @type {import('offsite').Remote<typeof import('./thermometer.ts')>} */
  const module = await site.link(new URL('./thermometer.ts', import.meta.url));
  for await (const { number, celsius } of module.rows(5)) {
    console.log(`${number}: ${celsius.toFixed(2)} °C`);
    if (number === 3) break;
  }
  // The `break` has ended the generator over there, at its next `yield`.
  while ((await module.measuring()) > 0) await setTimeout(10);
  console.log('nothing is measured over there any more');
} finally {
  await site.close();
}

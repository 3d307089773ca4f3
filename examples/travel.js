// A TypeScript module with two files beside it and a package from npm runs on a host that has none of them, nor offsite.
//
//   node examples/travel.js HOST     any host where `ssh HOST node --version` answers; without it, this one
import { RemoteManager } from 'offsite';

const [host = 'localhost'] = process.argv.slice(2);
const orders = [
  { item: 'apples', count: 3, price: 2 },
  { item: 'pears', count: 1, price: 4 },
  { item: 'apples', count: 1, price: 2 },
];

const site = new RemoteManager({ host });
try {
  /** @type {import('offsite').Remote<typeof import('./orders/report.ts')>} */
  const module = await site.link(new URL('./orders/report.ts', import.meta.url));
  console.log(await module.where());
  console.log(await module.report(JSON.stringify(orders)));
  await module.report('[{"item":"plums"}]').catch((error) => console.log(`${error.name}: ${error.message}`));
} finally {
  await site.close();
}

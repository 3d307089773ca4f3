// npm run bench, or: node bench/main.js [name…] [--json FILE]
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Harness } from './harness.js';
import { table } from './table.js';

const names = ['calls', 'codec', 'start', 'bytes'];

const usage = `node bench/main.js [name…] [--json FILE]
Measures offsite against floors and peers, in turns in one run. Names: ${names.join(', ')}; all if none is given.
Times are medians; a ratio is ours divided by theirs, so less is better.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, help: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => !names.includes(name));
if (values.help || unknown.length > 0) {
  console.error(unknown.length > 0 ? `There is no bench "${unknown.join('", "')}".\n${usage}` : usage);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const harness = new Harness();
for (const name of positionals.length > 0 ? positionals : names) {
  const { bench } = await import(`./${name}.js`);
  try {
    await bench(harness);
  } finally {
    await harness.close();
  }
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
};
console.log(`Node ${machine.node}, ${machine.platform}, ${machine.cores} cores of ${machine.cpu}`);
console.log('Times are medians. A ratio is ours divided by theirs, measured in turns: less is better.\n');
console.log(table(harness.rows));
if (values.json !== undefined) {
  const record = { taken: new Date().toISOString(), ...machine, unit: 'us', rows: harness.rows };
  await writeFile(values.json, `${JSON.stringify(record, null, 2)}\n`);
}

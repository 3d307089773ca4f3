// npm run bench, or: node bench/main.js [name…] [--json FILE]
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { collector, Harness, progress } from './harness.js';
import { summary, table } from './table.js';
import { isCrowded, judge } from './targets.js';

const benches = {
  calls: 'calls to a virtual and to an sh site, beside the floors of their links',
  pools: 'the same calls beside worker pools, process pools, comlink and capnweb',
  erlang: "calls to an sh site beside Erlang's erpc between two nodes, if erl is installed",
  bytes: '64 MiB there and back, and shared memory',
  websocket: 'calls over a WebSocket beside a raw ws echo',
  items: 'calls in flight, live references and streams: is the cost of one the same when there are many?',
  codec: 'values to bytes and back beside JSON, v8, msgpackr and superjson',
  actors: 'events to an actor in a site, and answers from it, beside a local actor and a bare call',
  start: 'from the wish for a site to its first word',
  supervisor: 'what it costs to be looked after, and how soon a dead site is known and replaced',
  cluster: 'calls, maps, starts and broadcasts in a cluster, and the memory of its workers',
  jobs: 'jobs through local slots and through a daemon with TLS, beside dask and multiprocessing.Pool',
  journal: 'jobs that are written down before they run: time, memory and disk; --jobs 1000000 takes minutes',
  idle: 'how much CPU a site takes that has little to do',
};
const names = Object.keys(benches);

const usage = `node bench/main.js [name…] [--json FILE] [--jobs N] [--help]
Measures offsite against floors and peers, in turns in one run, and says which targets are met. All benches run if
none is named; docs/benchmarks.md tells how to read what is printed. --json FILE writes the same there,
--jobs says how many the bench of the journal has.

${Object.entries(benches)
  .map(([name, what]) => `  ${name.padEnd(10)} ${what}`)
  .join('\n')}`;

const legend = `Figures are medians; a ratio is ours divided by theirs, measured in turns, so less is better. "Of means" is the same
ratio of the means. A target holds against the best peer, by the ratio; what the means say is added where it differs.`;

/** @returns {{ values: { json?: string, jobs?: string, help?: boolean }, positionals: string[] }} */
const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'string' }, jobs: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (cause) {
    console.error(`${/** @type {Error} */ (cause).message}\n${usage}`);
    process.exit(1);
  }
};

const { values, positionals } = readArguments();
const unknown = positionals.filter((name) => !names.includes(name));
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (unknown.length > 0) {
  console.error(`There is no bench "${unknown.join('", "')}".\n${usage}`);
  process.exit(1);
}

const collect = collector();
const harness = new Harness();
for (const name of names.filter((each) => positionals.length === 0 || positionals.includes(each))) {
  try {
    const { bench } = await import(`./${name}.js`);
    await bench(harness, values);
  } catch (cause) {
    // The other benches still have something to say; a bench that broke is no measurement, though.
    progress('');
    console.error(`The bench ${name} failed:`, cause);
    process.exitCode = 1;
  } finally {
    await harness.close();
    // What 64 MiB have left behind keeps the next bench from forking, where memory can't be promised twice.
    collect();
  }
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
};
const rows = judge(harness.rows);
console.log(
  `Node ${machine.node}, ${machine.platform}, ${machine.cores} cores of ${machine.cpu}\n${legend}\n`,
);
console.log(table(rows));
console.log(`\n${summary(rows)}`);
const crowded = isCrowded(rows);
if (crowded)
  console.log(
    'The cores were crowded: ends that stay hot were slower than ends that sleep, as on one core. Believe no verdict on awaited calls.',
  );
if (values.json !== undefined) {
  const record = { taken: new Date().toISOString(), ...machine, crowded, rows };
  await writeFile(values.json, `${JSON.stringify(record, null, 2)}\n`);
}

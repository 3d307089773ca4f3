// What do I have in node_modules? All JavaScript in it is parsed: which packages run text as code, which can start
// programs, and where the longest functions are.
//
//   node examples/audit.js                                 on all cores of this host
//   node examples/audit.js --on '4*bamse' --on skalman     on other hosts: they need `ssh` and `node`, and none of the files
//   node examples/audit.js --compare                       then once more in this thread alone, without any workers
//   node examples/audit.js FOLDER                          another folder of packages
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Cluster, functionsOf, progressBar } from 'offsite';
import { filesBelow } from './audit/disk.js';
import { reportOf } from './audit/report.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { on: { type: 'string', multiple: true }, compare: { type: 'boolean' } },
});
const folder = resolve(positionals[0] ?? fileURLToPath(new URL('../node_modules', import.meta.url)));
const files = await filesBelow(folder);

const { survey } = functionsOf(new URL('./audit/survey.js', import.meta.url));
const { textOf } = functionsOf(new URL('./audit/disk.js', import.meta.url));
const disk = { host: hostname(), textOf };

const timed = async (work) => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
};

const cluster = new Cluster();
try {
  // The line that makes a laptop's cores or three hosts of it: ['4*bamse', 'auto*skalman', 'lille-skutt'].
  const starting = await timed(() => cluster.addProcs(values.on ?? 'auto'));

  const all = [];
  const seconds = await timed(async () => {
    const options = {
      args: [disk],
      ordered: false,
      retry: { delays: [100, 1000] },
      onProgress: progressBar(),
    };
    for await (const facts of cluster.imap(survey, files, options)) all.push(facts);
  });
  for (const line of reportOf(all)) console.log(line);
  console.log(
    `\n${seconds.toFixed(1)} s in ${cluster.nworkers} workers, which took ${starting.toFixed(1)} s to start.`,
  );

  if (values.compare) {
    const { survey: surveyHere } = await import('./audit/survey.js');
    const alone = await timed(async () => {
      for (const file of files) await surveyHere(file, disk);
    });
    console.log(`${alone.toFixed(1)} s in this thread alone: ${(alone / seconds).toFixed(2)} times as long.`);
  }
} finally {
  await cluster.close();
}

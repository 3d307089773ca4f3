// Builds what makes a site a worker of a cluster into one file, dist/worker/worker.js, and into another what it needs only
// to connect to other workers: a site loads one file far faster than the fifty that it is made of, and each travels.
import { build } from 'esbuild';

/** @satisfies {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  splitting: true,
  minify: true,
  // Errors of workers are read by people.
  keepNames: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
};

await build({ ...common, entryPoints: { worker: 'lib/cluster/worker.ts' }, outdir: 'dist/worker' });
// The same of what runs the jobs of a job server in a site.
await build({ ...common, entryPoints: { runner: 'lib/jobs/runner.ts' }, outdir: 'dist/runner' });

// Builds what makes a site a worker of a cluster into one file, dist/worker/worker.js, and into another what it needs only
// to connect to other workers: a site loads one file far faster than the fifty that it is made of, and each travels.
import { build } from 'esbuild';

await build({
  entryPoints: { worker: 'lib/cluster/worker.ts' },
  outdir: 'dist/worker',
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
});

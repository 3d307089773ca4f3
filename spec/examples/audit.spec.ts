import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster, functionsOf } from '../../lib/index.ts';
import { noBareHost, startBareHost } from '../support/bare-host.ts';
import { rejection } from '../support/sites.ts';

const run = promisify(execFile);

interface File {
  path: string;
  name: string;
}
interface Facts extends File {
  evals: number[];
  starts: number[];
}
const { filesBelow, textOf } = functionsOf<{
  filesBelow: (folder: string) => Promise<File[]>;
  textOf: (path: string) => Promise<string>;
}>(new URL('../../examples/audit/disk.js', import.meta.url));
const { survey } = functionsOf<{
  survey: (file: File, disk: { host: string; textOf: typeof textOf }) => Promise<Facts>;
}>(new URL('../../examples/audit/survey.js', import.meta.url));

const FILES = {
  'plain/index.js': 'export const one = () => 1;\nexport function two() {\n  return 2;\n}\n',
  '@scope/sly/run.cjs':
    "const { exec } = require('child_process');\nmodule.exports = (text) => eval(text);\nnew Function('return 1');\n",
  'plain/node_modules/inner/deep.mjs': "import { spawn } from 'node:child_process';\nFunction('x');\n",
  'plain/broken.js': 'this is no JavaScript',
  'plain/readme.md': 'eval("1")',
};

let folder = '';
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'offsite-audit-')));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const REPORT = `4 files in 3 packages, 0.0 MB, 3 functions; 1 is no JavaScript.

2 packages run text as code (eval, Function):
       2  @scope/sly               @scope/sly/run.cjs:2
       1  inner                    plain/node_modules/inner/deep.mjs:2

2 packages can start programs (child_process):
       1  @scope/sly               @scope/sly/run.cjs:1
       1  inner                    plain/node_modules/inner/deep.mjs:1

The longest functions:
       3 lines  two                plain/index.js:2
       1 lines  exports            @scope/sly/run.cjs:2
       1 lines  one                plain/index.js:1

`;

test('An audit of a folder of packages finds what is in it, on all cores and then in one thread', async () => {
  const { stdout } = await run(process.execPath, ['examples/audit.js', folder, '--compare']);
  expect(stdout.slice(0, REPORT.length)).toBe(REPORT);
  expect(stdout.slice(REPORT.length)).toMatch(
    /^\d+\.\d s in \d+ workers?, which took \d+\.\d s to start\.\n\d+\.\d s in this thread alone: \d+\.\d\d times as long\.\n$/,
  );
});

const noHost = await noBareHost();
test.skipIf(noHost)('A host that has none of the files is given their texts, and no other ones', async () => {
  const packages = realpathSync('node_modules');
  const host = await startBareHost([folder, ...(packages.startsWith(process.cwd()) ? [] : [packages])]);
  const cluster = new Cluster();
  try {
    const { access } = host;
    const [id] = await cluster.addProcs({
      launch: () => [{ site: { fork: 'ssh', host: access.host, sshOptions: access.options } }],
    });
    const files = await cluster.remotecallFetch(filesBelow, 1, folder);
    const disk = { host: hostname(), textOf };
    const found = await Promise.all(
      files.map(async (file) => cluster.remotecallFetch(survey, id!, file, disk)),
    );
    const sly = found.find(({ name }) => name === '@scope/sly/run.cjs');
    expect(sly).toMatchObject({ evals: [2, 3], starts: [1] });
    expect(found).toHaveLength(4);
    const other = { path: join(packages, 'acorn/dist/acorn.js'), name: 'acorn.js' };
    const refused = await rejection(cluster.remotecallFetch(survey, id!, other, disk));
    expect(refused.message).toMatch(/is not among the files/);
  } finally {
    await cluster.close();
    await host.close();
  }
});

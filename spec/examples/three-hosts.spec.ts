import { execFile } from 'node:child_process';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BareHost, noBareHost, startBareHost } from '../support/bare-host.ts';

const run = promisify(execFile);
const unavailable = await noBareHost();
const names = ['bamse', 'skalman', 'lille-skutt'];
/** The packages, if they lie elsewhere than in the project, which is not there in any case. */
const elsewhere = [realpathSync('node_modules')].filter((path) => !path.startsWith(process.cwd()));

describe.skipIf(unavailable)('On three hosts that have none of the files', () => {
  const hosts: BareHost[] = [];
  let ssh = '';
  beforeAll(async () => {
    hosts.push(...(await Promise.all(names.map(() => startBareHost(elsewhere)))));
    const config = join(hosts[0]!.home, 'ssh_config');
    const blocks = hosts.map(
      ({ access }, at) => `Host ${names[at]}\nHostName ${access.host}\nInclude ${access.config}\n`,
    );
    writeFileSync(config, blocks.join(''));
    ssh = `ssh -F ${config}`;
  });
  afterAll(() => Promise.all(hosts.map((host) => host.close())));

  const example = async (...words: string[]): Promise<string> => {
    const env = { ...process.env, OFFSITE_SSH: ssh };
    const { stdout } = await run(process.execPath, words, { env });
    return stdout;
  };

  test('an audit finds what it finds here', async () => {
    const here = await example('examples/audit.js', 'examples');
    const there = await example(
      'examples/audit.js',
      'examples',
      '--on',
      '2*bamse',
      '--on',
      'skalman',
      '--on',
      'lille-skutt',
    );
    const report = here.slice(0, here.lastIndexOf('\n\n'));
    expect(report).toMatch(/^\d+ files in .*\n\n0 packages run text as code/);
    expect(there.slice(0, report.length)).toBe(report);
    expect(there.slice(report.length)).toMatch(/^\n\n\d+\.\d s in 4 workers, /);
  });

  test('a parallel search finds its answers', async () => {
    expect(await example('examples/parallel-search.js', 'bamse:2', 'skalman:1', 'lille-skutt')).toMatch(
      / = 10652\n.*: 10876\n6 queens stand in 4 ways, .*\n8 queens stand in 92 ways, .*\n10 queens stand in 724 ways, /,
    );
  });
});

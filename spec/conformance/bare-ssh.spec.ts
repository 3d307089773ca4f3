import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineFile } from '../../lib/fork/engine-file.ts';
import { RemoteManager } from '../../lib/index.ts';
import { type BareHost, noBareHost, startBareHost } from '../support/bare-host.ts';
import { type Calc, fixture } from '../support/sites.ts';
import { conformance } from './conformance.ts';

const run = promisify(execFile);
const unavailable = await noBareHost();
const hosts: BareHost[] = [];
const bare = async (more?: { readOnly?: boolean; tools?: boolean }) => {
  const host = await startBareHost([], more);
  hosts.push(host);
  return host;
};
afterAll(() => Promise.all(hosts.map((host) => host.close())));

const engineOf = ({ home }: BareHost) => join(home, '.cache', 'offsite', `engine-${engineFile().hash}.cjs`);
const damageEngine = (host: BareHost) => {
  mkdirSync(dirname(engineOf(host)), { recursive: true });
  writeFileSync(engineOf(host), 'process.exit(1)');
};
const over = ({ access }: BareHost) =>
  ({ fork: 'ssh', host: access.host, sshOptions: access.options }) as const;

// Neither this project nor the modules that the cases link are over there: all of it travels. Some cases start commands.
let damaged: BareHost;
let readOnly: BareHost;
beforeAll(async () => {
  if (unavailable !== undefined) return;
  [damaged, readOnly] = await Promise.all([bare({ tools: true }), bare({ tools: true, readOnly: true })]);
  damageEngine(damaged);
});
conformance(
  'ssh to a host that has only node, and a damaged engine in its cache',
  () => over(damaged),
  () => unavailable,
);
conformance(
  'ssh to a host that has only node, and a read-only home',
  () => over(readOnly),
  () => unavailable,
);

describe.skipIf(unavailable !== undefined)('a host that has only ssh and node', () => {
  const add = async (host: BareHost) => {
    const site = new RemoteManager({ ...over(host), stdout: 'ignore', stderr: 'ignore' });
    try {
      return await site.link<Calc>(fixture('calc.js')).add(2, 3);
    } finally {
      await site.close();
    }
  };

  test('proves itself to `offsite test`, and gets the engine only the first time', async () => {
    const host = await bare();
    const env = { ...process.env, OFFSITE_SSH: `ssh -F ${host.access.config}` };
    const words = ['dist/lib/cli/main.js', 'test', '--fork', 'ssh', '--host', host.access.host, '--json'];
    await run(process.execPath, words, { env });
    const first = statSync(engineOf(host));
    expect(readFileSync(engineOf(host))).toEqual(engineFile().bytes);
    await run(process.execPath, words, { env });
    expect(statSync(engineOf(host)).ino).toBe(first.ino);
  });

  test('runs a TypeScript module with two local imports and a package of ours, and keeps their sources', async () => {
    const host = await bare();
    const env = { ...process.env, OFFSITE_SSH: `ssh -F ${host.access.config}` };
    // Who names a user means a login.
    const login = `${userInfo().username}@${host.access.host}`;
    const example = async () => {
      const { stdout } = await run(process.execPath, ['examples/travel.js', login], { env });
      return stdout;
    };
    expect(await example()).toMatch(/report\.ts on Node\.js [\d.]+\n\{ apples: 8, pears: 4 \}\nValiError: /);
    const kept = () => readdirSync(join(host.home, '.cache', 'offsite', 'modules')).sort();
    const before = kept();
    expect(before.length).toBeGreaterThan(3);
    expect(await example()).toMatch(/apples: 8/);
    expect(kept()).toEqual(before);
  });

  test('may have a home in which nothing can be written', async () => {
    const host = await bare({ readOnly: true });
    expect(await add(host)).toBe(5);
    expect(await add(host)).toBe(5);
  });

  test('gets another engine and other sources for those in its cache that were damaged', async () => {
    const host = await bare();
    damageEngine(host);
    expect(await add(host)).toBe(5);
    expect(readFileSync(engineOf(host))).toEqual(engineFile().bytes);
    const modules = join(host.home, '.cache', 'offsite', 'modules');
    const sources = readdirSync(modules).filter((name) => name !== 'tidied');
    const whole = sources.map((name) => readFileSync(join(modules, name), 'utf8'));
    for (const name of sources) writeFileSync(join(modules, name), 'export const add = () => "damaged";');
    expect(await add(host)).toBe(5);
    expect(sources.map((name) => readFileSync(join(modules, name), 'utf8'))).toEqual(whole);
  });

  test('may have a package with native code of its own, which import and require find', async () => {
    const host = await bare();
    const folder = mkdtempSync(join(process.cwd(), '.spec-native-'));
    const write = (path: string, text: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    };
    const here = join(folder, 'node_modules', 'metal');
    write(join(folder, 'package.json'), '{ "name": "foundry", "type": "module" }');
    write(
      join(folder, 'weigh.js'),
      'import metal from "metal"; import other from "./other.cjs"; export const weigh = () => [metal.weight, other.weight];',
    );
    write(join(folder, 'other.cjs'), 'module.exports = require("metal");');
    write(join(here, 'package.json'), '{ "name": "metal", "gypfile": true, "main": "index.js" }');
    write(join(here, 'index.js'), 'throw new Error("this one was made for another machine")');
    const there = join(host.home, 'work', 'node_modules', 'metal');
    write(join(there, 'package.json'), '{ "name": "metal", "main": "index.js" }');
    write(join(there, 'index.js'), 'exports.weight = require("./heavy.js");');
    write(join(there, 'heavy.js'), 'module.exports = 7;');
    const site = new RemoteManager({ ...over(host), cwd: join(host.home, 'work') });
    try {
      const module = await site.link<{ weigh(): number[] }>(pathToFileURL(join(folder, 'weigh.js')));
      expect(await module.weigh()).toEqual([7, 7]);
    } finally {
      await site.close();
      rmSync(folder, { recursive: true });
    }
  });
});

import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import * as cluster from '../lib/cluster.ts';
import * as index from '../lib/index.ts';
import { Sources } from '../lib/module/source/sources.ts';
import * as site from '../lib/site.ts';

const dist = (name: string) => pathToFileURL(`dist/lib/${name}`).href;

/** All modules that are loaded with one, and travel with it. */
const closure = async (url: string): Promise<string[]> => {
  const sources = new Sources();
  sources.link({ url }, true);
  const described = await sources.describe(url, { installed: 0, sameDisk: false });
  return described!.modules.map((module) => module.url);
};

test('what modules in sites import loads the wire alone: no package, no manager, no shell', async () => {
  const loaded = await closure(dist('site.js'));
  expect(loaded).toContain(dist('wire/call/scope.js'));
  const floor = dist('wire/');
  expect(loaded.filter((url) => url !== dist('site.js') && !url.startsWith(floor))).toEqual([]);
  // The reader and writer of values is the engine's matter.
  expect(loaded.filter((url) => /superjson|session|encoder/.test(url))).toEqual([]);
});

test.each(['cluster.js', 'cluster/worker.js'])(
  'what workers of a cluster load (%s) brings no parser, no machine, no manager and no shell',
  async (door) => {
    const loaded = await closure(dist(door));
    expect(loaded).toContain(dist('cluster/functions.js'));
    expect(
      loaded.filter((url) => /acorn|eslint-scope|xstate|execa|remote-manager\.js|\/cli\//.test(url)),
    ).toEqual([]);
  },
);

test('the package itself has the same names', () => {
  expect(index).toMatchObject(site);
  expect(index).toMatchObject(cluster);
});

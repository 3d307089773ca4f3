// npm run demo: the SHA-256 of every file under this project through `offsite map`, then a tour in code.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { tour } from './tour.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const heading = (words) => console.log(`\n== ${words}`);

/** Every file below some folders of the project; xstate is there for some weight. */
const filesBelow = async (folders) => {
  const found = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) if (entry.isFile()) found.push(join(entry.parentPath, entry.name));
  }
  return found.map((path) => path.slice(root.length)).sort();
};

const files = await filesBelow(['lib', 'actors', 'spec', 'docs', 'examples', 'dist', 'node_modules/xstate']);
const command = ['map', 'examples/checksum.ts#sha256', '-', '-p', '2'];
heading(`${files.length} files, two sites: offsite ${command.join(' ')}`);

const began = performance.now();
const map = spawn(process.execPath, [join(root, 'dist/lib/cli/main.js'), ...command], {
  cwd: root,
  stdio: ['pipe', 'pipe', 'inherit'],
});
map.stdin.end(`${files.join('\n')}\n`);
const [printed, [code]] = await Promise.all([text(map.stdout), once(map, 'close')]);
assert.equal(code, 0, 'offsite map should have hashed every file');
const seconds = (performance.now() - began) / 1000;

const sums = printed
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
assert.equal(sums.length, files.length);
for (const sum of sums.slice(0, 3)) console.log(sum);
console.log(`… ${sums.length - 3} more`);

// Believe nothing: the same again here, in this thread, for every file.
for (const [index, path] of files.entries()) {
  const here = createHash('sha256')
    .update(await readFile(join(root, path)))
    .digest('hex');
  assert.equal(sums[index], `${here}  ${path}`);
}
const rate = Math.round(files.length / seconds);
console.log(
  `All ${files.length} agree with node:crypto here. ${seconds.toFixed(2)} s with the start, ${rate} files/s`,
);

heading('The same from code');
await tour(console.log);

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { initWords } from '../../lib/daemon/init.ts';

const SPACE = ['--pid', '--fork', '--kill-child', '--mount-proc'];

const hasSpaces = (): boolean => {
  try {
    execFileSync('unshare', [...SPACE, 'true'], { stdio: 'ignore', timeout: 5_000 });
    return true;
  } catch {
    return false;
  }
};

/** Node.js below an init that is the first process of its space. */
const below = (text: string) => {
  const child = spawn('unshare', [...SPACE, ...initWords([process.execPath, '-e', text])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
};

/** Says which processes are there that have ended and were not waited for. */
const ZOMBIES = `
  const { readdirSync, readFileSync } = require('node:fs');
  const zombies = () => readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).filter((pid) => {
    try { return / Z /.test(readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/\\(.*\\)/s, '')); } catch { return false; }
  });`;

describe.runIf(process.platform === 'linux' && hasSpaces())('The first process of a container', () => {
  test('waits for all that loses its parent', async () => {
    // A shell that starts another one and ends at once, so that the other becomes the first process's.
    const { child, lines } = below(`${ZOMBIES}
      const { spawnSync } = require('node:child_process');
      for (let n = 0; n < 5; n++) spawnSync('/bin/sh', ['-c', 'sleep 0.3 &'], { stdio: 'ignore' });
      const end = Date.now() + 5_000;
      const orphans = () => readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length - 2;
      console.log(process.ppid, orphans());
      const look = () => (orphans() > 0 && Date.now() < end ? setTimeout(look, 10) : console.log('left', orphans(), zombies().length));
      look();
    `);
    expect((await lines.next()).value).toBe('1 5');
    expect((await lines.next()).value).toBe('left 0 0');
    await once(child, 'exit');
  });

  test('passes signals on, and ends as what is below it does', async () => {
    const { child, lines } = below(`
      process.on('SIGTERM', () => { console.log('drains'); });
      process.on('SIGUSR2', () => process.exit(7));
      setInterval(() => {}, 1_000);
      console.log('ready');
    `);
    expect((await lines.next()).value).toBe('ready');
    const [init] = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).split('\n');
    process.kill(Number(init), 'SIGTERM');
    expect((await lines.next()).value).toBe('drains');
    process.kill(Number(init), 'SIGTERM');
    expect((await lines.next()).value).toBe('drains');
    process.kill(Number(init), 'SIGUSR2');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hearLastWords } from '../../lib/ticket/last-words.ts';

/** Says much when it hears something, and dies of it. */
const SPEAKER = `
  const net = require('node:net');
  net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (let i = 0; i < 50; i++) socket.write('x'.repeat(100));
      process.kill(process.pid, 'SIGKILL');
    });
  }).listen(process.argv[1], () => console.log('up'));
`;

test('what a peer said before it was killed is heard, though something was written to it then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-words-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'door');
  const speaker = spawn(process.execPath, ['-e', SPEAKER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(speaker, 'exit');
  await once(speaker.stdout, 'data');
  const socket = hearLastWords(connect(path));
  socket.on('error', () => {});
  let heard = 0;
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  await once(socket, 'connect');
  socket.write('speak');
  // This thread stands still until the other one is dead, as a busy one does.
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const dead = () => {
    try {
      // A zombie can be signalled; its end has not been looked at yet, so the time must do.
      return process.kill(speaker.pid!, 0) && performance.now() > since + 200;
    } catch {
      return true;
    }
  };
  const since = performance.now();
  while (!dead()) Atomics.wait(sleeper, 0, 0, 5);
  // Not by `once`, which an error rejects.
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write('too late');
  await closed;
  expect(heard).toBe(5_000);
  await ended;
});

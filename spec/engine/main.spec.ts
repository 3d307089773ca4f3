import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { HEARTBEAT } from '../../lib/engine/protocol.ts';
import { engineFile } from '../../lib/fork/engine-file.ts';
import { killAll } from '../support/processes.ts';

const started = new Set<number>();
afterEach(() => {
  killAll(started);
  started.clear();
});

/** Runs the engine's file as `node` would run any file, without anybody who manages it. */
const run = (...args: string[]): ChildProcess => {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  started.add(child.pid!);
  return child;
};

describe('the engine file', () => {
  test('loaded without a manager does nothing and lets its process end', async () => {
    const child = run('-e', `require(${JSON.stringify(engineFile().path)})`);
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});

describe('a heartbeat', () => {
  test('is no text, has no line feed and fits one atomic write', () => {
    expect(HEARTBEAT).toMatch(/^[^\n\r\t\x20-\x7e]+$/);
    expect(Buffer.byteLength(HEARTBEAT)).toBeLessThan(512);
  });
});

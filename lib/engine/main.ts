import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isMainThread, workerData } from 'node:worker_threads';
import { RingLink } from '../wire/ring-link.ts';
import { StreamLink } from '../wire/stream-link.ts';
import { Engine } from './engine.ts';
import {
  BOOT_WORD,
  type BootLine,
  INPUT_DESCRIPTOR,
  OUTPUT_DESCRIPTOR,
  type VirtualSiteData,
} from './protocol.ts';

/** Serves the manager at the other end of `input`; called by the first stage, which has read from it before. */
export const start = (input: Readable): void => {
  process.argv.splice(1, process.argv.length, 'offsite-engine');
  const output = new Socket({ fd: OUTPUT_DESCRIPTOR, readable: false, writable: true });
  // As Node does with its own stdout: what was printed last must leave before `process.exit` does.
  (output as unknown as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(true);
  new Engine(new StreamLink(input, output, INPUT_DESCRIPTOR));
};

/** Serves the manager that started this process; false if there is none, as when a person typed the command. */
export const startInstalled = (): boolean => {
  try {
    fstatSync(INPUT_DESCRIPTOR);
    fstatSync(OUTPUT_DESCRIPTOR);
    const line: BootLine = { node: process.versions.node, pid: process.pid, engine: true };
    const input = new Socket({ fd: INPUT_DESCRIPTOR, readable: true, writable: false });
    writeSync(OUTPUT_DESCRIPTOR, `${BOOT_WORD}${JSON.stringify(line)}\n`);
    start(input);
    return true;
  } catch {
    return false;
  }
};

const virtual = isMainThread ? undefined : (workerData as Partial<VirtualSiteData> | null)?.offsite;
if (virtual) new Engine(new RingLink(virtual));

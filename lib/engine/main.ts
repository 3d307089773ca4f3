import { fstatSync, writeSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isMainThread, workerData } from 'node:worker_threads';
import { makeRingLink } from '../wire/link/ring-link.deferred.ts';
import { StreamLink } from '../wire/link/stream-link.ts';
import { Engine } from './engine.ts';
import {
  BOOT_WORD,
  type BootLine,
  INPUT_DESCRIPTOR,
  OUTPUT_DESCRIPTOR,
  type VirtualSiteData,
} from './protocol.ts';

/** Names of built-in modules that are global variables everywhere. */
const GLOBAL_EVERYWHERE = new Set(['console', 'crypto', 'process']);

/**
 * `node -e` gives its text what only CommonJS has, and all built-in modules as global variables. An ES module looks for
 * the first to know what it is, and must not work here for want of an import that it needs elsewhere.
 */
const removeGlobalsOfEval = (): void => {
  for (const name of ['require', 'exports', '__filename', '__dirname', ...builtinModules]) {
    if (!GLOBAL_EVERYWHERE.has(name)) Reflect.deleteProperty(globalThis, name);
  }
};

/** Serves the manager at the other end of `input`; called by the first stage, which has read from it before. */
export const start = (input: Readable): void => {
  // When the text has run, Node puts some of them there again.
  process.nextTick(removeGlobalsOfEval);
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
if (virtual) new Engine(makeRingLink(virtual));

import fs, { fstatSync, readFileSync, writeSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isMainThread, workerData } from 'node:worker_threads';
import { makeRingLink } from '../wire/link/ring-link.deferred.ts';
import { StreamLink } from '../wire/link/stream-link.ts';
import { bridge, serveDetached } from './detached/detached.deferred.ts';
import { BRIDGE_WORD, type DetachedSetup } from './detached/order.ts';
import { Engine } from './engine.ts';
import { leavesFilesOpen, readModulesAtOnce } from './loader/read-at-once.ts';
import {
  BOOT_WORD,
  type BootLine,
  INPUT_DESCRIPTOR,
  OUTPUT_DESCRIPTOR,
  type VirtualSiteData,
} from './protocol.ts';

/** The engine's file: it is built as CommonJS. */
declare const __filename: string;

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

const prepareProcess = (): void => {
  // When the text has run, Node puts some of them there again.
  process.nextTick(removeGlobalsOfEval);
  process.argv.splice(1, process.argv.length, 'offsite-engine');
};

/**
 * Serves the manager at the other end of `input`; called by the first stage, which has read from it before. `engine` is
 * this file's own text.
 */
export const start = (input: Readable, engine: Uint8Array): void => {
  const bridges = process.argv.includes(BRIDGE_WORD);
  prepareProcess();
  const output = new Socket({ fd: OUTPUT_DESCRIPTOR, readable: false, writable: true });
  if (bridges) return void bridge(input, output, engine);
  // As Node does with its own stdout: what was printed last must leave before `process.exit` does.
  (output as unknown as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(true);
  new Engine(new StreamLink(input, output, INPUT_DESCRIPTOR));
};

/** Becomes a detached site; called by what a bridge runs to launch one. */
export const startDetached = (setup: DetachedSetup): void => {
  prepareProcess();
  void serveDetached(setup);
};

/** Serves the manager that started this process; false if there is none, as when a person typed the command. */
export const startInstalled = (): boolean => {
  try {
    fstatSync(INPUT_DESCRIPTOR);
    fstatSync(OUTPUT_DESCRIPTOR);
    const line: BootLine = { node: process.versions.node, pid: process.pid, engine: true };
    const input = new Socket({ fd: INPUT_DESCRIPTOR, readable: true, writable: false });
    writeSync(OUTPUT_DESCRIPTOR, `${BOOT_WORD}${JSON.stringify(line)}\n`);
    start(input, readFileSync(__filename));
    return true;
  } catch {
    return false;
  }
};

const virtual = isMainThread ? undefined : (workerData as Partial<VirtualSiteData> | null)?.offsite;
if (virtual) {
  if (leavesFilesOpen) readModulesAtOnce(fs);
  new Engine(makeRingLink(virtual));
}

import { closeSync, writeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { OUTPUT_DESCRIPTOR } from '../protocol.ts';
import { runBridge } from './bridge.ts';
import { DetachedEngine } from './detached-engine.ts';
import { READY } from './launch.ts';
import type { DetachedSetup } from './order.ts';

/** Carries out the order that is the first line of `input`, and ends this process; `engine` is this file's own text. */
export const bridge = (input: Readable, output: Writable, engine: Uint8Array): Promise<void> =>
  runBridge(input, output, engine);

/** Becomes a detached site, and tells who launched it. */
export const serveDetached = async (setup: DetachedSetup): Promise<void> => {
  await new DetachedEngine(setup).start();
  writeSync(OUTPUT_DESCRIPTOR, READY);
  // What the site starts shall not hold it.
  closeSync(OUTPUT_DESCRIPTOR);
};

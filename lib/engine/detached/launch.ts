import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { IN_FOLDER, makePrivateFolder } from '../../ticket/folder.ts';
import { openLog } from '../../ticket/log-file.ts';
import { INPUT_DESCRIPTOR, OUTPUT_DESCRIPTOR } from '../protocol.ts';
import type { DetachedSetup } from './order.ts';

/** What a detached engine writes when it can be reached. */
export const READY = 'ready\n';
/** How much of the log of an engine that failed is told, in bytes. */
const TOLD = 2_000;

/**
 * What `node -e` runs: the engine's own text, which comes behind its setup through a descriptor that only the two of
 * them have. So nothing that matters is on the command line, and it does not matter whether the engine could be kept.
 */
const STAGE =
  `{const c=[],i=new(require("net").Socket)({fd:${INPUT_DESCRIPTOR},readable:true,writable:false});` +
  'i.on("data",d=>c.push(d)).on("end",()=>{const b=Buffer.concat(c),n=b.readUInt32LE(0)+4,M=require("module"),m=new M("offsite:engine");' +
  'm.filename="offsite:engine";m.paths=[];m._compile(b.toString("utf8",n),m.filename);m.exports.startDetached(JSON.parse(b.toString("utf8",4,n)))})}';

/** A detached engine that can be reached. */
export interface Launched {
  readonly child: ChildProcess & { readonly pid: number };
  readonly folder: string;
}

const endOf = (folder: string): string => {
  try {
    return readFileSync(join(folder, IN_FOLDER.log), 'utf8').slice(-TOLD).trim();
  } catch {
    return '';
  }
};

/**
 * Starts an engine that has nothing of this process but its environment: a session and a group of its own, no terminal,
 * and its log in the place of what it would print to. Rejects if it ends before it can be reached, and then nothing of
 * it is left.
 */
export const launch = async (
  setup: Omit<DetachedSetup, 'folder'>,
  execArgv: readonly string[],
  engine: Uint8Array,
): Promise<Launched> => {
  const folder = makePrivateFolder();
  const log = openLog(folder);
  const child = spawn(process.execPath, [...execArgv, '-e', STAGE], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe', 'pipe'],
  });
  closeSync(log);
  const input = child.stdio[INPUT_DESCRIPTOR] as Writable | undefined;
  const output = child.stdio[OUTPUT_DESCRIPTOR] as Readable | undefined;
  input?.on('error', () => {});
  output?.on('error', () => {});
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      output?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.endsWith(READY)) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`;
        reject(
          new Error(`the detached engine ended with ${how} before it could be reached. ${endOf(folder)}`),
        );
      });
      const told = Buffer.from(JSON.stringify({ ...setup, folder } satisfies DetachedSetup));
      const head = Buffer.alloc(4);
      head.writeUInt32LE(told.length);
      input?.end(Buffer.concat([head, told, engine]));
    });
  } catch (cause) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    throw cause;
  }
  output?.destroy();
  return { child: child as Launched['child'], folder };
};

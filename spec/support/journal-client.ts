import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach } from 'vitest';
import { killAll, processTable, waitUntilGone } from './processes.ts';
import { fixture } from './sites.ts';

/** A line that a client has said. */
export interface Said {
  readonly ready?: true;
  readonly submitted?: number;
  readonly id?: string;
  readonly status?: string;
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string; readonly name: string };
  readonly done?: true;
  readonly closed?: true;
  readonly job?: string;
}

/** Where a test's journal is, and where its jobs write what they do. */
export let folder: string;
export let path: string;
export let effects: string;
const started = new Set<number>();

/** Gives each test a journal, and ends what it has left; called at the top of a file. */
export const withJournal = (): void => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offsite-crash-'));
    path = join(folder, 'jobs');
    effects = join(folder, 'effects');
  });
  afterEach(sweep);
};

const sweep = async () => {
  // Sites of killed clients, some of which never had a job, are called after them.
  const title = /^offsite: crash-/;
  for (const { pid, command } of processTable())
    if (title.test(command) && command.includes(process.pid.toString())) started.add(pid);
  killAll(started);
  await waitUntilGone(started, 5_000);
  started.clear();
  await rm(folder, { recursive: true, force: true });
};

/** A program with the journal open. */
export class Client {
  readonly child: ChildProcessWithoutNullStreams;
  readonly said: Said[] = [];
  readonly #exit: Promise<unknown>;
  #told: () => void = () => {};

  constructor(slots: number, options: object = { name: `crash-${process.pid}` }) {
    const words = [fileURLToPath(fixture('journal-client.js')), path, String(slots)];
    this.child = spawn(process.execPath, [...words, JSON.stringify(options)], { stdio: 'pipe' });
    started.add(this.child.pid!);
    this.#exit = once(this.child, 'exit');
    this.child.stderr.pipe(process.stderr);
    createInterface(this.child.stdout).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      this.said.push(said);
      this.#told();
    });
  }

  order(order: object): void {
    this.child.stdin.write(`${JSON.stringify(order)}\n`);
  }

  /** Resolves when it has said so; what it said. */
  async until(holds: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const found = this.said.find(holds);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
  }

  get results(): Said[] {
    return this.said.filter(({ status }) => status !== undefined);
  }

  async hear(count: number): Promise<void> {
    await this.until(() => this.results.length >= count);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exit;
  }

  async close(): Promise<void> {
    this.order({ order: 'close' });
    await this.#exit;
  }
}

/** What the jobs that were begun have written: a word, and in which process. */
export const effectsSeen = () =>
  (existsSync(effects) ? readFileSync(effects, 'utf8').split('\n') : [])
    .filter(Boolean)
    .map((line) => ({ word: line.replace(/ \d+$/, ''), pid: Number(line.split(' ').at(-1)) }));
/** The words of it. */
export const wordsSeen = () => effectsSeen().map(({ word }) => word);
/** Resolves when so many jobs were begun. */
export const effectsReach = async (count: number) => {
  while (effectsSeen().length < count) await new Promise((resolve) => setImmediate(resolve));
};

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { keyLine, newKey } from '../../lib/access/key-file.ts';
import type { JobServerOptions, JobStatus, SubmitOptions } from '../../lib/index.ts';
import { bin, type Running, startProgram } from '../cli/cli.ts';
import { Lan, type LanHost } from '../support/lan.ts';

/** What became of a job, as its callback told. */
export interface Over {
  /** Which one. */
  readonly over: number;
  readonly status: JobStatus;
  /** Its square, and the node that it ran on. */
  readonly value?: readonly [square: number, node: string];
  readonly attempts: number;
  /** The code of what it was rejected with. */
  readonly error?: string;
  readonly message?: string;
  readonly mayHaveRun?: boolean;
  readonly lostOn?: string;
}

/** What became of a node, as the client's job server told. */
export interface NodeTold {
  readonly node: string;
  readonly state: string;
  readonly cpus: number;
}

/** What a long job said when it had begun. */
export interface Said {
  readonly said: number;
  readonly node: string;
  readonly pid: number;
}

/** A run of a job, as the job itself noted it. */
export interface Run {
  readonly job: number;
  readonly node: string;
  readonly pid: number;
  readonly isDone: boolean;
}

const CLIENT = fileURLToPath(new URL('fixtures/client.js', import.meta.url));

/** A job server in a program of its own, on a host of its own, and what it has told. */
export class Client {
  readonly overs: Over[] = [];
  readonly nodes: NodeTold[] = [];
  readonly said: Said[] = [];
  readonly #program: Running;
  readonly #told = new Set<string>();
  readonly #looks = new Set<() => void>();
  #end: string | undefined;

  constructor(program: Running) {
    this.#program = program;
    createInterface({ input: program.child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as object;
      if ('over' in said) this.overs.push(said as Over);
      else if ('said' in said) this.said.push(said as Said);
      else if ('node' in said) this.nodes.push(said as NodeTold);
      else for (const what of Object.keys(said)) this.#told.add(what);
      for (const look of this.#looks) look();
    });
    void program.ended.then(({ code, signal, stderr }) => {
      this.#end = `The client ended with ${code ?? signal}: ${stderr}`;
      for (const look of this.#looks) look();
    });
  }

  /** Resolves as soon as a condition holds for what it has told; rejects if the client ends before. */
  until(what: string, holds: () => boolean, within = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#looks.delete(look);
        act();
      };
      const fail = (why: string) => settle(() => reject(new Error(`${what}: ${why} ${this.summary}`)));
      const look = () => {
        if (holds()) settle(resolve);
        else if (this.#end !== undefined) fail(this.#end);
      };
      const timer = setTimeout(() => fail(`it did not come within ${within} ms.`), within);
      this.#looks.add(look);
      look();
    });
  }

  /** The job server's last word on each node. */
  stateOf(node: string): string | undefined {
    return this.nodes.findLast((told) => told.node === node)?.state;
  }

  /** How many jobs a node has finished. */
  finishedOn(node: string): number {
    return this.overs.filter(({ value }) => value?.[1] === node).length;
  }

  /** What became of a job, if it is over. */
  became(job: number): Over | undefined {
    return this.overs.find(({ over }) => over === job);
  }

  get summary(): string {
    const names = [...new Set(this.nodes.map(({ node }) => node))];
    const each = names.map((name) => `${name} ${this.stateOf(name)}, ${this.finishedOn(name)} jobs`);
    return `${this.overs.length} jobs are over; ${each.join('; ')}. ${this.#program.output.stderr}`;
  }

  /** Opens its job server, which runs nothing on its own host. */
  async open(options: JobServerOptions): Promise<void> {
    this.#do({ act: 'open', ...options });
    await this.until('the job server', () => this.#told.has('open'));
  }

  /** Submits jobs, the last of them `to - 1`, which take `ms` each, or less if they are not long. */
  submit(
    jobs: { from: number; to: number; ms: number; isLong?: boolean } & Pick<SubmitOptions, 'retry' | 'node'>,
  ): void {
    this.#do({ act: 'submit', ...jobs });
  }

  /**
   * Submits two jobs that are to be running on a node when it is lost: one that may not be run again, and then one that
   * may. Resolves to the processes of their sites, when they have begun.
   */
  submitLong(first: number, node: string, ms: number): Promise<number[]> {
    this.submit({ from: first, to: first + 1, ms, isLong: true, node });
    this.submit({ from: first + 1, to: first + 2, ms, isLong: true, node, retry: 1 });
    return Promise.all([this.pidOf(first), this.pidOf(first + 1)]);
  }

  /** Resolves when so many jobs are over. */
  over(count: number): Promise<void> {
    return this.until(`${count} jobs`, () => this.overs.length >= count);
  }

  /** Resolves when a node has finished so many jobs more than it has now. */
  finishes(count: number, node: string): Promise<void> {
    const before = this.finishedOn(node);
    return this.until(`${count} jobs of ${node}`, () => this.finishedOn(node) >= before + count);
  }

  /** Resolves to the process of a long job's site, when the job has begun. */
  async pidOf(job: number): Promise<number> {
    const find = () => this.said.findLast(({ said }) => said === job);
    await this.until(`the beginning of job ${job}`, () => find() !== undefined);
    return find()!.pid;
  }

  async close(): Promise<void> {
    this.#do({ act: 'close' });
    await this.until('the end of the job server', () => this.#told.has('closed'));
    this.#program.child.stdin.end();
    await this.#program.ended;
  }

  #do(what: object): void {
    this.#program.child.stdin.write(`${JSON.stringify(what)}\n`);
  }
}

/** A real program of Offsite's on a host, and its end. */
export interface Served {
  readonly program: Running;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Hosts that have a network, keys, and programs. */
export class Hosts {
  readonly lan = new Lan();
  /** Files with the key of a client, with that of a node, and with both. */
  readonly clientKey: string;
  readonly nodeKey: string;
  readonly keys: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'offsite-spec-hosts-'));
  readonly #names = new Set<string>();
  readonly #programs: Running[] = [];

  constructor() {
    const [client, node] = [keyLine(newKey('client', 'use')), keyLine(newKey('node', 'node'))];
    this.clientKey = this.#file('client.key', client);
    this.nodeKey = this.#file('node.key', node);
    this.keys = this.#file('keys', `${client}\n${node}`);
  }

  /** A file that only its user can read. */
  #file(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  }

  /** `offsite serve` on a host, with a name; its jobs note their runs. */
  serve(
    host: LanHost,
    name: string,
    words: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Served> {
    const common = ['--name', name, '--secret-file', this.clientKey, '--cpus', '2'];
    return this.run(host, name, ['serve', ...common, ...words], env);
  }

  /** `offsite` on a host; resolves when it has said that it serves. */
  async run(
    host: LanHost,
    name: string,
    words: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<Served> {
    this.#names.add(name);
    const own = join(this.#folder, name);
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const program = startProgram([...host.inside, process.execPath, bin, ...words], {
      XDG_RUNTIME_DIR: own,
      TMPDIR: own,
      OFFSITE_SPEC_NOTES: this.#notes(name),
      ...env,
    });
    this.#programs.push(program);
    await program.until('stderr', / (serves|schedules) at /);
    const kill = async (signal: NodeJS.Signals) => {
      program.child.kill(signal);
      await program.ended;
    };
    return { program, kill };
  }

  client(host: LanHost): Client {
    const program = startProgram([...host.inside, process.execPath, CLIENT]);
    this.#programs.push(program);
    return new Client(program);
  }

  /** All runs of jobs on all nodes. */
  runs(): Run[] {
    return [...this.#names].flatMap((node) => {
      const notes = this.#read(node);
      const done = new Set(notes.filter(([what]) => what === 'done').map(([, job, pid]) => `${job} ${pid}`));
      return notes
        .filter(([what]) => what === 'begun')
        .map(([, job, pid]) => ({
          job: Number(job),
          node,
          pid: Number(pid),
          isDone: done.has(`${job} ${pid}`),
        }));
    });
  }

  /** Ends all programs and takes the network away. */
  async close(): Promise<void> {
    this.lan.close();
    await Promise.all(this.#programs.map(({ ended }) => ended));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #notes(name: string): string {
    return join(this.#folder, `${name}.notes`);
  }

  #read(name: string): string[][] {
    try {
      return readFileSync(this.#notes(name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '));
    } catch {
      return []; // nothing has run there
    }
  }
}

/** What the sentences of dispy and of Parallel Python have nodes do. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { currentJob } from '../../lib/jobs.ts';
import { registerClass } from '../../lib/site.ts';

/** Takes so long, and says where it was. */
export const sleepAt = async (ms: number): Promise<[node: string, ms: number]> => {
  await delay(ms);
  return [currentJob().node, ms];
};

export const add = (x: number, y: number): number => x + y;

export const pid = (): number => process.pid;

/** Says its process id and then never ends. */
export const announce = async (): Promise<never> => {
  await currentJob().provisional(process.pid);
  return new Promise(() => setInterval(() => {}, 1_000));
};

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code = 'E_REFUSED';
}

export const failAt = (bad: number, value: number): number => {
  if (value === bad) throw new Refused(`${value} is refused`);
  return value * 10;
};

/** Something of a user's own that goes along as an argument. */
export class Program {
  readonly name: string;
  readonly steps: number;

  constructor(name: string, steps: number) {
    this.name = name;
    this.steps = steps;
  }

  run(): number {
    for (let step = 1; step <= this.steps; step++) console.log(`${this.name}: step ${step}`);
    return this.steps;
  }
}
registerClass(Program, 'spec.dispy.Program');

export const runProgram = (program: Program): [isOne: boolean, steps: number] => [
  program instanceof Program,
  program.run(),
];

/** What one node's setup has loaded, from its own file. */
export interface Loaded {
  readonly file: string;
  readonly words: readonly string[];
  readonly times: number;
}

let times = 0;
export const load = (file: string, content: Uint8Array): Loaded => {
  writeFileSync(file, content);
  return { file, words: readFileSync(file, 'utf8').split(' '), times: ++times };
};
export const unload = ({ file }: Loaded): void => rmSync(file);

export const wordAt = (index: number) => {
  const { node, nodeData } = currentJob();
  const { file, words, times } = nodeData as Loaded;
  return { node, word: words[index % words.length], file, times };
};

/** Reads a file that came along, and takes a while. */
export const hashOfFile = async (name: string): Promise<string> => {
  const { folder } = currentJob();
  await delay(5);
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
};

/** Uses the functions that came along with this job, and no others. */
export const useGiven = (value: number): number[] =>
  currentJob().modules.map((module) => (module as (value: number) => number)(value));

/** Says how large a file is that came along. */
export const sizeOf = (name: string): number => readFileSync(join(currentJob().folder, name)).length;

/** Sends a file of so many bytes back. */
export const produce = async (size: number): Promise<number> => {
  writeFileSync(join(currentJob().folder, 'made.bin'), Buffer.alloc(size, 7));
  return (await currentJob().sendFile('made.bin')).size;
};

let setups = 0;
export const setup = () => ({ setups: ++setups, pid: process.pid });
export const setupSeen = () => currentJob().nodeData as ReturnType<typeof setup>;

export const sumPrimes = (below: number): number => {
  let sum = 0;
  for (let n = 2; n < below; n++) {
    let isPrime = true;
    for (let i = 2; i * i <= n && isPrime; i++) isPrime = n % i !== 0;
    if (isPrime) sum += n;
  }
  return sum;
};

/** A part of 1 - 1/2 + 1/3 - … */
export const partOfLn2 = (from: number, to: number): number => {
  let sum = 0;
  for (let x = from; x < to; x++) sum += x % 2 === 0 ? -1 / x : 1 / x;
  return sum;
};

/** A number and its derivative, as in Parallel Python's example of automatic differentiation. */
export class Dual {
  readonly x: number;
  readonly dx: number;

  constructor(x: number, dx = 0) {
    this.x = x;
    this.dx = dx;
  }

  plus({ x, dx }: Dual): Dual {
    return new Dual(this.x + x, this.dx + dx);
  }

  times({ x, dx }: Dual): Dual {
    return new Dual(this.x * x, this.x * dx + this.dx * x);
  }
}
registerClass(Dual, 'spec.pp.Dual');

/** A function of two numbers, with a factor of its own. */
export class Polynomial {
  readonly factor: Dual;

  constructor(factor: number) {
    this.factor = new Dual(factor);
  }

  at(x: Dual, y: Dual): Dual {
    return this.factor.times(x).times(x).plus(x.times(y));
  }
}
registerClass(Polynomial, 'spec.pp.Polynomial');

export const evaluate = (polynomial: Polynomial, x: Dual, y: Dual): Dual => polynomial.at(x, y);

export const sort = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
export const join3 = (left: readonly number[], pivot: number, right: readonly number[]): number[] => [
  ...left,
  pivot,
  ...right,
];

/** Which number of a range has this MD5. */
export const reverseMd5 = (hash: string, from: number, to: number): number | undefined => {
  for (let n = from; n < to; n++) {
    if (createHash('md5').update(String(n)).digest('hex') === hash) return n;
  }
  return undefined;
};

/** Says its process id and that of a program which it has started, and then never ends. */
export const announceBoth = async (): Promise<never> => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await currentJob().provisional([process.pid, child.pid]);
  return new Promise(() => setInterval(() => {}, 1_000));
};

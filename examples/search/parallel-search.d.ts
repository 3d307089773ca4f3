import type { AddProcsOptions, Cluster, FunctionName } from 'offsite';

/** The name of a function that gives a Space, by `functionsOf`. */
type Script<A extends readonly unknown[]> = FunctionName<(...args: A) => unknown>;

/** What an answer is made of: the values of the variables in the space's `root`. */
type Answer = Readonly<Record<string, number>> | readonly number[];

export interface ParallelSearchOptions extends AddProcsOptions {
  /** Hears how many answers there are, and how many workers are busy. */
  onProgress?: (progress: { answers: number; busy: number }) => void;
}

/** Searches what a script describes in several processes, as Mozart's Search.parallel does. */
export class ParallelSearch {
  constructor(workers?: Readonly<Record<string, number | 'auto'>>, options?: ParallelSearchOptions);
  readonly cluster: Cluster;
  readonly ready: Promise<void>;
  /** The first answer that any worker finds; an empty array if there is none. */
  one<A extends readonly unknown[]>(script: Script<A>, ...args: A): Promise<Answer[]>;
  /** All answers, in no order. */
  all<A extends readonly unknown[]>(script: Script<A>, ...args: A): Promise<Answer[]>;
  /** An answer than which none is better; an empty array if there is none. */
  best<A extends readonly unknown[]>(script: Script<A>, ...args: A): Promise<Answer[]>;
  /** Ends the search that runs: it resolves with the answers that it has. */
  stop(): void;
  /** Ends the search that runs, and the workers. */
  close(): Promise<void>;
}

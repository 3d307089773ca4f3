/** A variable of a space; everything about it is asked of the space. */
export type Variable = number;

export type Relation = '=' | '≠' | '≤' | '≥' | '<' | '>';

/** Takes a part of what a variable can be. */
export type Choice = readonly [variable: Variable, relation: Relation, value: number];

/** Finite domains: variables that stand for integers, what must hold between them, and how to choose. */
export class Space {
  /** The answer: variables in an array, or in an object under names. */
  root: readonly Variable[] | Readonly<Record<string, Variable>>;
  variable(low: number, high: number): Variable;
  variables(count: number, low: number, high: number): Variable[];
  /** `linear([2, -1], [x, y], '≤', 5)` has 2x - y ≤ 5 hold. */
  linear(
    coefficients: readonly number[],
    variables: readonly Variable[],
    relation: Relation,
    constant: number,
  ): void;
  /** All are different, each with its offset added to it. */
  distinct(variables: readonly Variable[], offsets?: readonly number[]): void;
  /** Which variables are decided first, and how. */
  distribute(strategy: 'naive' | 'ff' | 'split', variables: readonly Variable[]): void;
  /** Has `better` exclude what is not better than `best`, an answer in the form of `root`. */
  order(exclude: (better: Space, best: never) => void): void;
  /** Lets all follow that follows; false if nothing can be an answer any more. */
  propagate(): boolean;
}

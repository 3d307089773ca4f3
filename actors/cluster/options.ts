import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';

/**
 * Who may call whom: everybody everybody; process 1 each worker and back; or as the manager of the workers says by their
 * idents. Julia's names.
 */
export type Topology = 'all_to_all' | 'master_worker' | 'custom';

/** A line that a worker printed. */
export interface WorkerLine {
  readonly id: number;
  readonly stream: 'stdout' | 'stderr';
}

/** How a cluster is to be; everything has a default. */
export interface ClusterOptions {
  /** As it is called in messages and in the tree. @default 'cluster' and a number */
  name?: string;
  /** @default 'all_to_all' */
  topology?: Topology;
  /** Whether workers connect to each other at their first call, and not when they join. @default true */
  lazy?: boolean;
  /**
   * Makes the line that is printed here of one that a worker printed; `undefined` prints nothing.
   * @default Julia's: `      From worker 2:\tline`
   */
  output?: (line: string, from: WorkerLine) => string | undefined;
}

/** The same, checked and complete. */
export interface CheckedClusterOptions extends ClusterOptions {
  topology: Topology;
  lazy: boolean;
  output: NonNullable<ClusterOptions['output']>;
}

const schema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  topology: v.optional(v.picklist(['all_to_all', 'master_worker', 'custom']), 'all_to_all'),
  lazy: v.optional(v.boolean(), true),
  output: v.optional(
    v.custom<CheckedClusterOptions['output']>((value) => typeof value === 'function', 'must be a function'),
    () =>
      (line: string, { id }: WorkerLine) =>
        `      From worker ${id}:\t${line}`,
  ),
});

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkClusterOptions = (options: ClusterOptions): CheckedClusterOptions => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (result.success) return result.output as CheckedClusterOptions;
  const [issue] = result.issues;
  const option = v.getDotPath(issue) ?? 'options';
  throw new OptionError(
    option,
    issue.type === 'strict_object' && issue.expected === 'never'
      ? `There is no option "${option}" for a Cluster.`
      : `The option ${option} of a Cluster is not right: ${issue.message}.`,
  );
};

import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';
import type { Backoff } from './backoff.ts';
import { type AutoShutdown, type CheckedSpec, type ChildSpec, checkSpec } from './child-spec.ts';
import type { SupervisorClock } from './clock.ts';
import type { Strategy } from './strategy.ts';

interface CommonOptions {
  /** As people see it, in messages and in the tree. @default 'supervisor' and a number */
  name?: string;
  /** How many restarts within `period` are allowed; one more and the supervisor ends. @default 1 */
  intensity?: number;
  /** In milliseconds. @default 5000 */
  period?: number;
  /** When the end of significant children ends the supervisor. @default 'never' */
  autoShutdown?: AutoShutdown;
  /** How long each restart waits; what is left out has its default. @default no wait, as in OTP */
  backoff?: Backoff;
  /** What all waits use. @default the time of this process */
  clock?: SupervisorClock;
  /** Gives chance from 0 to 1, for the jitter. @default Math.random */
  random?: () => number;
}

/** How a supervisor looks after its children; terms and defaults are those of OTP's `supervisor`. */
export type SupervisorOptions<Args extends readonly unknown[] = [spec: ChildSpec]> =
  | (CommonOptions & {
      /** @default 'one_for_one' */
      strategy?: Exclude<Strategy, 'simple_one_for_one'>;
      /** Started in this order, and stopped in the reverse. @default none */
      children?: readonly ChildSpec[];
    })
  | (CommonOptions & {
      strategy: 'simple_one_for_one';
      /** The one template of all children; `startChild(...args)` calls its `start` with `args`. */
      children: readonly [ChildSpec<Args>];
    });

/** The same, checked and complete. */
export interface CheckedSupervisorOptions {
  name?: string;
  strategy: Strategy;
  intensity: number;
  period: number;
  autoShutdown: AutoShutdown;
  backoff?: Required<Backoff>;
  clock?: SupervisorClock;
  random: () => number;
  children: readonly CheckedSpec[];
}

const atLeast = (least: number) => v.pipe(v.number(), v.minValue(least, `must be ${least} or more`));
const isFunction = (value: unknown): boolean => typeof value === 'function';

const schema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  strategy: v.optional(
    v.picklist(['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one']),
    'one_for_one',
  ),
  intensity: v.optional(
    v.pipe(
      atLeast(0),
      v.check((value) => value === Infinity || Number.isInteger(value), 'must be a whole number or Infinity'),
    ),
    1,
  ),
  period: v.optional(v.pipe(v.number(), v.gtValue(0, 'must be more than 0 milliseconds')), 5_000),
  autoShutdown: v.optional(v.picklist(['never', 'any_significant', 'all_significant']), 'never'),
  backoff: v.optional(
    v.strictObject({
      initial: v.optional(atLeast(0), 100),
      max: v.optional(atLeast(0), 30_000),
      factor: v.optional(atLeast(1), 2),
      jitter: v.optional(v.pipe(atLeast(0), v.maxValue(1, 'must be 1 or less')), 0.5),
    }),
  ),
  clock: v.optional(
    v.custom<SupervisorClock>(
      (value) =>
        isFunction((value as SupervisorClock | null)?.setTimeout) &&
        isFunction((value as SupervisorClock).clearTimeout),
      'must have setTimeout and clearTimeout',
    ),
  ),
  random: v.optional(v.custom<() => number>(isFunction, 'must be a function'), () => Math.random),
  children: v.optional(v.array(v.unknown()), []),
});

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkSupervisorOptions = (options: object): CheckedSupervisorOptions => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'options';
    throw new OptionError(
      option,
      issue.type === 'strict_object' && issue.expected === 'never'
        ? `There is no option "${option}" for a Supervisor.`
        : `The option ${option} of a Supervisor is not right: ${issue.message}.`,
    );
  }
  const { output } = result;
  const children = output.children.map((spec) => checkSpec(spec as ChildSpec<never>, output.autoShutdown));
  const ids = new Set<string>();
  for (const { id } of children) {
    if (ids.has(id))
      throw new OptionError('children', `Two children have the id ${id}; ids are unique in a supervisor.`);
    ids.add(id);
  }
  if (output.strategy === 'simple_one_for_one' && children.length !== 1) {
    throw new OptionError(
      'children',
      `A simple_one_for_one supervisor has one child spec, the template of all its children, not ${children.length}.`,
    );
  }
  return { ...output, children };
};

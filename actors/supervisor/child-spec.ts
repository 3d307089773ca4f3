import * as v from 'valibot';
import type { Actor, AnyActorLogic, AnyActorRef } from 'xstate';
import { OptionError } from '../../lib/wire/errors.ts';
import type { RemoteManager } from '../remote-manager.ts';
import type { Supervisor } from '../supervisor.ts';

/** What can be a child: a site, a supervisor, or an XState actor. */
export type Supervised = RemoteManager | Supervisor<never> | AnyActorRef;

/** What gives a new child each time it is called: a manager, a supervisor, or an actor that is not started yet. */
export type StartFunction<Args extends readonly unknown[] = []> = (
  ...args: Args
) => StartedBy | PromiseLike<StartedBy>;

type StartedBy = RemoteManager | Supervisor<never> | Actor<AnyActorLogic>;

/** When a child that ended is started again: always, after an abnormal end, never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How long a child may take to end when it is asked to, in milliseconds; `brutal` does not wait for it. */
export type Shutdown = number | 'infinity' | 'brutal';

/** How a child is started, restarted and stopped; the terms and defaults are OTP's. */
export interface ChildSpec<Args extends readonly unknown[] = []> {
  /** Unique in its supervisor. */
  id: string;
  /** What gives the child, or an actor logic of XState. */
  start: StartFunction<Args> | AnyActorLogic;
  /** @default 'permanent' */
  restart?: Restart;
  /** @default 5000 for a worker, 'infinity' for a supervisor */
  shutdown?: Shutdown;
  /** @default what the thing is that `start` gives */
  type?: ChildType;
  /** Whether its end can end the supervisor, as `autoShutdown` says. @default false */
  significant?: boolean;
  /** For a site: what is done in it after each start, before it counts as up; for instance its links and enters. */
  setup?: (site: RemoteManager) => unknown;
  /** How long start and setup may take together, in milliseconds. @default 60000, 'infinity' for a supervisor */
  startTimeout?: number | 'infinity';
  /** The input of an actor logic. */
  input?: unknown;
  /** The id of an actor logic in the system of its supervisor's actor. @default none */
  systemId?: string;
}

/** As in OTP: a worker, or a supervisor. */
export type ChildType = 'worker' | 'supervisor';

/** The same, checked and complete, but for what depends on what `start` gives. */
export interface CheckedSpec extends ChildSpec<never> {
  restart: Restart;
  significant: boolean;
}

/** When the end of significant children ends their supervisor. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

const milliseconds = v.pipe(v.number(), v.minValue(0, 'must be 0 milliseconds or more'));

const isLogic = (value: unknown): boolean =>
  typeof (value as { transition?: unknown } | null)?.transition === 'function' &&
  typeof (value as { getInitialSnapshot?: unknown }).getInitialSnapshot === 'function';

const schema = v.strictObject({
  id: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  start: v.custom<StartFunction<never> | AnyActorLogic>(
    (value) => typeof value === 'function' || isLogic(value),
    'must be a function that gives a manager, a supervisor or an actor, or an actor logic of XState',
  ),
  restart: v.optional(v.picklist(['permanent', 'transient', 'temporary']), 'permanent'),
  shutdown: v.optional(
    v.union(
      [milliseconds, v.picklist(['infinity', 'brutal'])],
      "must be milliseconds, 'infinity' or 'brutal'",
    ),
  ),
  type: v.optional(v.picklist(['worker', 'supervisor'])),
  significant: v.optional(v.boolean(), false),
  setup: v.optional(
    v.custom<NonNullable<ChildSpec['setup']>>((value) => typeof value === 'function', 'must be a function'),
  ),
  startTimeout: v.optional(
    v.union([milliseconds, v.literal('infinity')], "must be milliseconds, or 'infinity'"),
  ),
  input: v.optional(v.unknown()),
  systemId: v.optional(v.string()),
});

/** Checks a child spec and fills in the defaults; throws OptionError, which names what is wrong. */
export const checkSpec = (spec: ChildSpec<never>, autoShutdown: AutoShutdown): CheckedSpec => {
  const result = v.safeParse(schema, spec, { abortEarly: true });
  const id = (spec as { id?: unknown } | null)?.id;
  const whose = typeof id === 'string' && id !== '' ? `the child spec of ${id}` : 'a child spec';
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'children';
    throw new OptionError(
      option,
      issue.type === 'strict_object' && issue.expected === 'never'
        ? `There is no option "${option}" in ${whose}.`
        : `The option ${option} in ${whose} is not right: ${issue.message}.`,
    );
  }
  const checked = result.output as CheckedSpec;
  if (checked.significant && checked.restart === 'permanent') {
    throw new OptionError(
      'significant',
      `A permanent child is always started again, so its end can't matter: make ${checked.id} transient or temporary, or not significant.`,
    );
  }
  if (checked.significant && autoShutdown === 'never') {
    throw new OptionError(
      'significant',
      `The child ${checked.id} is significant, but its supervisor has the autoShutdown 'never'; say 'any_significant' or 'all_significant' there.`,
    );
  }
  return checked;
};

import * as v from 'valibot';
import { OptionError } from '../../lib/wire/errors.ts';
import { moduleKey } from '../remote-manager/module-target.ts';
import type { Plan } from './stand-in.ts';

const listener = v.custom<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'must be a function',
);

const running = {
  mailbox: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31))),
  snapshots: v.optional(v.picklist(['all', 'latest'])),
  onDeadLetter: v.optional(listener),
};

const logicSchema = v.strictObject({ ...running, inspect: v.optional(v.boolean()) });

const createSchema = v.strictObject({
  ...running,
  inspect: v.optional(
    v.custom<object>(
      (value) =>
        typeof value === 'function' || typeof (value as { next?: unknown } | null)?.next === 'function',
      'must be a function, or an observer',
    ),
  ),
  input: v.unknown(),
  snapshot: v.optional(v.looseObject({ status: v.string() })),
  id: v.optional(v.string()),
  systemId: v.optional(v.string()),
});

const site = v.custom<object>(
  (value) => typeof value === 'function' || typeof (value as { link?: unknown } | null)?.link === 'function',
  'must be a RemoteManager, something that links as it does, or a function that gives one',
);

const check = (schema: v.GenericSchema, name: string, value: unknown): void => {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return;
  const option = v.getDotPath(result.issues[0]) ?? name;
  throw new OptionError(
    option,
    `The option ${option} of a remote actor is not right: ${result.issues[0].message}.`,
  );
};

/** Checks what an actor is to be made of; throws OptionError. */
export const checkPlan = ({ site: where, url, exportName, options }: Plan): void => {
  check(site, 'site', where);
  moduleKey(url);
  check(v.pipe(v.string(), v.nonEmpty('must not be empty')), 'exportName', exportName);
  check(logicSchema, 'options', options);
};

/** Checks the options of `createRemoteActor`; throws OptionError. */
export const checkCreateOptions = (options: object): void =>
  check(v.intersect([createSchema]), 'options', { input: undefined, ...options });

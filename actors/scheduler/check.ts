import * as v from 'valibot';
import { parseHost } from '../../lib/fork/host.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { SchedulerOptions } from './options.ts';

/** See DaemonOptions. */
const LEASE = 3_600_000;
const MESSAGE_WITHIN = 10_000;
const PORT = 35_100;

const files = v.strictObject({
  secretFile: v.optional(v.string()),
  certfile: v.optional(v.string()),
  keyfile: v.optional(v.string()),
  ca: v.optional(v.string()),
  passwordFile: v.optional(v.string()),
});
const time = (least: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(2 ** 31 - 1));
const weight = v.pipe(
  v.number(),
  v.minValue(1, 'must be from 1 to 1000'),
  v.maxValue(1000, 'must be from 1 to 1000'),
);

const schema = v.strictObject({
  host: v.optional(v.pipe(v.array(v.string()), v.minLength(1)), ['127.0.0.1']),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), PORT),
  name: v.optional(v.pipe(v.string(), v.nonEmpty())),
  access: v.optional(files, {}),
  nodes: v.optional(v.array(v.string()), []),
  nodeCredentials: v.optional(v.custom<object>((value) => typeof value === 'object' && value !== null)),
  policy: v.optional(v.picklist(['fair', 'fifo', 'exclusive']), 'fair'),
  weights: v.optional(v.record(v.string(), weight), {}),
  zombieInterval: v.optional(time(1_000), LEASE),
  msgTimeout: v.optional(time(1), MESSAGE_WITHIN),
});

type Defaulted =
  | 'host'
  | 'port'
  | 'access'
  | 'nodes'
  | 'policy'
  | 'weights'
  | 'zombieInterval'
  | 'msgTimeout';

/** The options of a scheduler, checked and complete. */
export type CheckedSchedulerOptions = SchedulerOptions & Required<Pick<SchedulerOptions, Defaulted>>;

/** Checks what a user gave and fills in the defaults; throws OptionError, which names the option. */
export const checkSchedulerOptions = (options: SchedulerOptions): CheckedSchedulerOptions => {
  const result = v.safeParse(schema, options, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const option = v.getDotPath(issue) ?? 'options';
    throw new OptionError(option, `The option ${option} of a scheduler is not right: ${issue.message}.`);
  }
  for (const node of result.output.nodes) parseHost(node);
  return result.output as CheckedSchedulerOptions;
};

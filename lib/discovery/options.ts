import * as v from 'valibot';
import { OptionError } from '../wire/errors.ts';
import type { NodeBasics, Probe } from './node.ts';
import type { NameResolver } from './srv.ts';

/** How nodes are looked for. */
export interface FindOptions<State extends NodeBasics> {
  /** Asks what was found whether it is a node that can be used. */
  readonly probe: Probe<State>;
  /** How long all of it may take, in milliseconds; of a watch, how long one try may take. @default 5000 */
  readonly timeout?: number;
  /** Gives the search up, or ends the watch. */
  readonly signal?: AbortSignal;
  /** Names or addresses of interfaces on which is asked by multicast. @default all that are up and not loopback */
  readonly interfaces?: readonly string[];
  /** Who is asked for SRV records and for the addresses of their targets. @default the resolver of this host */
  readonly resolver?: NameResolver;
}

/** How long a search may take if nobody says it, in milliseconds. */
export const SEARCH_WITHIN = 5_000;

/** Timers of Node.js can't be set to more, in milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

const isFunction = v.custom<(...words: never[]) => unknown>(
  (value) => typeof value === 'function',
  'must be a function',
);
const Options = v.object({
  probe: isFunction,
  timeout: v.optional(v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(LONGEST_WAIT))),
  signal: v.optional(v.instance(AbortSignal)),
  interfaces: v.optional(v.array(v.pipe(v.string(), v.minLength(1)))),
  resolver: v.optional(v.looseObject({ resolveSrv: isFunction, resolve4: isFunction, resolve6: isFunction })),
});

/** Throws OptionError for an option that has a value that it can't have. */
export const checkFindOptions = <State extends NodeBasics>(options: FindOptions<State>): void => {
  const result = v.safeParse(Options, options);
  if (result.success) return;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? 'options';
  throw new OptionError(path, `${path} of a search for nodes is wrong: ${issue.message}.`);
};

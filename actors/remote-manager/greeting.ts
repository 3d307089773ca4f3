import type { ManagerGreeting } from '../../lib/engine/protocol.ts';
import { leadsHere } from '../../lib/fork/detached.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import type { CheckedOptions } from './options.ts';

/** What a manager tells the engine of itself and of the site that it wants; `name` is the site's. */
export const greetingOf = (
  { cwd, env, detach, host, fork, limits, ticket, heartbeat, unreachableTimeout, way }: CheckedOptions,
  name: string,
): ManagerGreeting => ({
  protocol: PROTOCOL,
  // A site whose parent has another number ends what is left of its group by itself; that one does it for it.
  pid: way?.parent ?? process.pid,
  name,
  detach,
  heartbeat,
  // JSON has no Infinity. A site that has come by itself is tied to who brought it, which knows when it is cut off.
  ...(unreachableTimeout !== Infinity && !way && { unreachableTimeout }),
  ...(process.env.SSH_CONNECTION !== undefined && { sshConnection: process.env.SSH_CONNECTION }),
  local: way
    ? false
    : ticket
      ? leadsHere(host, fork)
      : fork === 'automatic' || fork === 'sh' || fork === 'virtual',
  ...(cwd !== undefined && { cwd }),
  ...(limits && { limits }),
  ...(env && {
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value ?? null])),
  }),
});

import { hostname } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { PROTOCOL } from '../wire/frame/frame.ts';
import type { EngineGreeting, ManagerGreeting } from './protocol.ts';

/** Why an engine can't be the site that was asked for. */
export type Refusal = NonNullable<EngineGreeting['refused']>;

/** Why this engine can't understand a manager, if it can't. */
export const refusalOf = ({ protocol }: ManagerGreeting): Refusal | undefined =>
  protocol === PROTOCOL
    ? undefined
    : { step: 'version', message: `The manager speaks protocol ${protocol}, this engine ${PROTOCOL}.` };

/** Takes the environment, the name and the folder that a manager wants, or says why it can't. */
export const becomeSite = (manager: ManagerGreeting): Refusal | undefined => {
  const refused = refusalOf(manager);
  if (refused) return refused;
  const { name, cwd, env } = manager;
  for (const [variable, value] of Object.entries(env ?? {})) {
    if (value === null) delete process.env[variable];
    else process.env[variable] = value;
  }
  if (isMainThread) process.title = `offsite: ${name}`;
  if (cwd === undefined) return;
  try {
    process.chdir(cwd);
  } catch (cause) {
    return { step: 'cwd', message: (cause as Error).message };
  }
};

/** What this engine says of itself. */
export const ownGreeting = (refused: Refusal | undefined): EngineGreeting => ({
  protocol: PROTOCOL,
  node: process.versions.node,
  pid: process.pid,
  platform: process.platform,
  hostname: hostname(),
  ...(refused && { refused }),
});

import { ProtocolError } from '../wire/errors.ts';
import { PROTOCOL } from '../wire/frame/frame.ts';
import type { EngineGreeting, ManagerGreeting } from './protocol.ts';

type Fields = Record<string, unknown>;

const check = (holds: boolean, who: string, what: string): void => {
  if (!holds) throw new ProtocolError(`The greeting of ${who} can not be one: ${what}.`);
};

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A greeting of any version: what it speaks is all that can be known of one of another. */
const fieldsOf = (greeting: unknown, who: string): Fields => {
  check(isRecord(greeting), who, 'it is no object');
  const { protocol } = greeting as Fields;
  check(Number.isSafeInteger(protocol), who, 'it names no version of the protocol');
  return greeting as Fields;
};

/** What a manager said of itself; throws ProtocolError if it can't be that. */
export const managerGreeting = (greeting: unknown): ManagerGreeting => {
  const who = 'the manager';
  const fields = fieldsOf(greeting, who);
  const known = fields as unknown as ManagerGreeting;
  if (known.protocol !== PROTOCOL) return known;
  const { pid, name, cwd, env = {}, local, detach, sshConnection } = fields;
  check(Number.isSafeInteger(pid), who, 'its pid is no number');
  check(typeof name === 'string', who, 'the name is no text');
  check(cwd === undefined || typeof cwd === 'string', who, 'the folder is no text');
  check(typeof local === 'boolean' && typeof detach === 'boolean', who, 'a yes or no is neither');
  for (const time of [fields.heartbeat, fields.unreachableTimeout]) {
    check(time === undefined || (typeof time === 'number' && time > 0), who, 'a time is none');
  }
  check(sshConnection === undefined || typeof sshConnection === 'string', who, 'its connection is no text');
  const values = isRecord(env) ? Object.values(env) : [0];
  const isEnv = values.every((value) => value === null || typeof value === 'string');
  check(isEnv, who, 'an environment variable is neither text nor null');
  return known;
};

/** What an engine said of itself; throws ProtocolError if it can't be that. */
export const engineGreeting = (greeting: unknown): EngineGreeting => {
  const who = 'the engine';
  const fields = fieldsOf(greeting, who);
  const known = fields as unknown as EngineGreeting;
  const { node, pid, platform, hostname, refused } = fields;
  if (refused !== undefined) {
    const isRefusal =
      isRecord(refused) &&
      (refused.step === 'version' || refused.step === 'cwd') &&
      typeof refused.message === 'string';
    check(isRefusal, who, 'it refuses, and does not say why');
  }
  if (known.protocol !== PROTOCOL) return known;
  check(Number.isSafeInteger(pid), who, 'its pid is no number');
  for (const text of [node, platform, hostname]) check(typeof text === 'string', who, 'a text is none');
  return known;
};

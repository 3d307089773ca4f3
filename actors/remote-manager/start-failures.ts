import type { EngineGreeting } from '../../lib/engine/protocol.ts';
import { ForkError } from '../../lib/fork/errors.ts';
import type { SiteDeath } from '../../lib/fork/fork-method.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import { howItEnded } from './death.ts';

const SAME_VERSION = 'Install the same version of offsite over there, or let the engine be sent.';

/** The start was given up by whoever wanted it. */
export const closedEarly = (name: string, cause?: unknown): ForkError =>
  new ForkError(name, {
    step: 'aborted',
    what: 'it was closed while it started.',
    remedy: 'Nothing of it is left.',
    ...(cause !== undefined && { cause }),
  });

/** What answered is no engine. */
export const strange = (name: string, what: string): ForkError =>
  new ForkError(name, { step: 'version', what: what.replace(/^T/, 't'), remedy: SAME_VERSION });

/** The start took longer than `timeout` ms. */
export const tooLate = (name: string, timeout: number): ForkError =>
  new ForkError(name, {
    step: 'timeout',
    what: `the engine was not ready after ${timeout} ms.`,
    remedy: 'Give the option timeout more, or see what the fork command does when run by hand.',
  });

/** The engine ended before it was ready. */
export const diedEarly = (name: string, death: SiteDeath): ForkError =>
  new ForkError(name, {
    step: 'engine',
    what: `the engine ${howItEnded(death)} before it was ready.`,
    remedy: 'See what it said, and the option execArgv.',
    ...death,
  });

/** Throws ForkError for an engine that refuses its manager, or speaks another version. */
export const checkEngine = (name: string, { refused, protocol, node }: EngineGreeting): void => {
  if (refused) {
    const { step, message } = refused;
    const remedy = step === 'cwd' ? 'Give the option cwd a folder that exists over there.' : SAME_VERSION;
    throw new ForkError(name, { step, what: message.endsWith('.') ? message : `${message}.`, remedy });
  }
  if (protocol !== PROTOCOL) {
    throw new ForkError(name, {
      step: 'version',
      what: `its engine (Node.js ${node}) speaks protocol ${protocol}, this one (Node.js ${process.versions.node}) ${PROTOCOL}.`,
      remedy: SAME_VERSION,
    });
  }
};

import { constants } from 'node:os';
import process from 'node:process';

/** How a person or a service manager ends a daemon. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What signals have a daemon do. */
export interface Told {
  /** The first one that is to end it. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** The second and all others. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGUSR1. */
  readonly report: () => void;
}

/** The exit code of who was ended by a signal, as shells have it. */
export const codeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/** Listens to signals until what it gives is called. */
export const listenToSignals = ({ stop, kill, report }: Told): (() => void) => {
  let told = false;
  const listeners: [NodeJS.Signals, () => void][] = ENDINGS.map((signal) => [
    signal,
    () => {
      const again = told;
      told = true;
      if (again) kill(signal);
      else stop(signal);
    },
  ]);
  // Node.js would open its inspector otherwise.
  listeners.push(['SIGUSR1', report]);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
};

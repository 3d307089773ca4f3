import type { AnyActorRef } from 'xstate';
import { OptionError } from '../../lib/wire/errors.ts';
import type { RemoteManager } from '../remote-manager.ts';
import { release } from '../root.ts';
import type { Supervisor } from '../supervisor.ts';
import type { ChildType, Supervised } from './child-spec.ts';
import { type ChildExit, errorExit, siteExit, supervisorExit } from './exit.ts';

/** The longest time that Node's timers take, in milliseconds: the supervisor's own clock is what bounds an end. */
const FOREVER = 2 ** 31 - 1;

/** What a supervisor does with a child, whatever that is. */
export interface Kind {
  readonly type: ChildType;
  /** Starts what does not start by itself, and calls `ended` once it has ended; that may be at once. */
  begin(ended: (exit: ChildExit) => void): void;
  /** Resolves when it works; rejects if it never will, and then nothing of it is left. */
  readonly ready?: Promise<unknown>;
  /** Asks it to end, without a bound. */
  ask(): void;
  /** Ends it, whether it wants to or not. */
  kill(): void;
}

/** Whether a child is a site. */
export const isSite = (value: object): value is RemoteManager => 'link' in value && 'enter' in value;
/** Whether a child is a supervisor. */
export const isSupervisor = (value: object): value is Supervisor<never> => 'whichChildren' in value;
const isActor = (value: object): value is AnyActorRef => 'getSnapshot' in value && 'subscribe' in value;

const site = (manager: RemoteManager): Kind => ({
  type: 'worker',
  begin: (ended) => {
    // Whoever looks after it closes it; the root does so only for what nobody looks after.
    release(manager);
    manager.on('exit', (exit) => ended(siteExit(exit)));
  },
  ready: manager.ready,
  ask: () => void manager.close({ timeout: FOREVER }),
  kill: () => void manager.kill(),
});

const supervisor = (below: Supervisor<never>): Kind => ({
  type: 'supervisor',
  begin: (ended) => {
    release(below);
    below.on('exit', (exit) => ended(supervisorExit(exit)));
  },
  ready: below.ready,
  ask: () => void below.close(),
  kill: () => void below.close({ timeout: 0 }),
});

const actor = (ref: AnyActorRef, stop: (ref: AnyActorRef) => void): Kind => ({
  type: 'worker',
  begin: (ended) => {
    ref.subscribe({
      complete: () => {
        const done = (ref.getSnapshot() as { status?: unknown }).status === 'done';
        ended({ reason: done ? 'normal' : 'shutdown' });
      },
      error: (cause) => ended(errorExit(cause)),
    });
    ref.start();
  },
  ask: () => stop(ref),
  kill: () => stop(ref),
});

/** What a child spec's `start` gave; throws OptionError for what can't be a child. */
export const kindOf = (id: string, value: Supervised, stop: (ref: AnyActorRef) => void): Kind => {
  if (typeof value === 'object' && value !== null) {
    if (isSite(value)) return site(value);
    if (isSupervisor(value)) return supervisor(value);
    if (isActor(value)) return actor(value, stop);
  }
  throw new OptionError(
    'start',
    `The start of ${id} gave what can't be a child; it must give a RemoteManager, a Supervisor or an XState actor.`,
  );
};

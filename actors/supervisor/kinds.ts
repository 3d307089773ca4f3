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
const isActor = (value: object): value is AnyActorRef =>
  'getSnapshot' in value && 'subscribe' in value && 'start' in value;

/** XState's word for an actor that has been stopped, also for one that was so before it was started. */
const STOPPED = 2;

/** One that was stopped never tells of an end again, so that whoever waits for it would wait for ever. */
const wasStopped = (ref: AnyActorRef): boolean => {
  const { status } = ref.getSnapshot() as { status?: unknown };
  const { _processingStatus: processing } = ref as { _processingStatus?: unknown };
  return status === 'stopped' || (status === 'active' && processing === STOPPED);
};

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

/** What a supervisor does with the actors below it. */
export interface ActorHost {
  /** Whether it may end an actor: whoever has another parent is that one's to end. */
  owns(ref: AnyActorRef): boolean;
  /** Ends one that it owns. */
  stop(ref: AnyActorRef): void;
}

const actor = (ref: AnyActorRef, { stop }: ActorHost): Kind => ({
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
export const kindOf = (id: string, value: Supervised, host: ActorHost): Kind => {
  if (typeof value === 'object' && value !== null) {
    if (isSite(value)) return site(value);
    if (isSupervisor(value)) return supervisor(value);
    if (isActor(value)) {
      if (wasStopped(value))
        throw new OptionError(
          'start',
          `The start of ${id} gave an actor that has been stopped already; it must make a new one each time.`,
        );
      if (!host.owns(value))
        throw new OptionError(
          'start',
          `The start of ${id} gave an actor that another one has made, which ends it; give one that createActor() made, or an actor logic.`,
        );
      return actor(value, host);
    }
  }
  throw new OptionError(
    'start',
    `The start of ${id} gave what can't be a child; it must give a RemoteManager, a Supervisor or an XState actor.`,
  );
};

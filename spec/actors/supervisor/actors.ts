import { setImmediate as turn } from 'node:timers/promises';
import { type Actor, type AnyActorLogic, type AnyActorRef, createActor, SimulatedClock } from 'xstate';
import type { ChildSpec, SupervisorOptions } from '../../../lib/index.ts';
import { SiteCrashedError, Supervisor } from '../../../lib/index.ts';

/** How a child can end in these specs. */
export type Reason = 'normal' | 'shutdown' | 'crashed' | 'killed';

/** Lets everything happen that waits for nothing but its turn. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 12; i++) await turn();
};

/** Children that are XState actors, which start, end and fail to start as their test says, and what they did. */
export class Troupe {
  readonly clock = new SimulatedClock();
  /** `+a` for a start, `!a` for a start that fails, `-a` for a stop, `xa` for an end of its own. */
  readonly log: string[] = [];
  /** How often each is to fail from now on when it is started. */
  readonly failures = new Map<string, number>();
  readonly #living = new Map<string, (reason: Reason) => void>();

  /** The actor logic of one child. */
  logic(name: string): AnyActorLogic {
    return {
      getInitialSnapshot: () => {
        const left = this.failures.get(name) ?? 0;
        if (left > 0) {
          this.failures.set(name, left - 1);
          this.log.push(`!${name}`);
          throw new Error(`${name} does not start`);
        }
        return { status: 'active', output: undefined, error: undefined, input: undefined };
      },
      start: (_state: unknown, { self }: { self: AnyActorRef }) => {
        this.log.push(`+${name}`);
        this.#living.set(name, (reason) => {
          if (reason === 'shutdown') (self as Actor<AnyActorLogic>).stop();
          else self.send({ type: 'end', reason });
        });
      },
      transition: (state: object, event: { type: string; reason?: Reason }) => {
        if (event.type === 'xstate.stop') {
          this.#living.delete(name);
          this.log.push(`-${name}`);
          return { ...state, status: 'stopped' };
        }
        if (event.type !== 'end') return state;
        this.#living.delete(name);
        this.log.push(`x${name}`);
        if (event.reason === 'normal') return { ...state, status: 'done' };
        const error =
          event.reason === 'killed'
            ? new SiteCrashedError('killed', { exitCode: null, signal: 'SIGKILL', stderr: [] }, true)
            : new Error(`${name} crashed`);
        return { ...state, status: 'error', error };
      },
      getPersistedSnapshot: (state: unknown) => state,
    } as unknown as AnyActorLogic;
  }

  spec(id: string, more: Partial<ChildSpec> = {}): ChildSpec {
    return { id, start: this.logic(id), ...more };
  }

  /** The same, but with an actor of its own, which somebody else can stop. */
  ownSpec(id: string, more: Partial<ChildSpec> = {}): ChildSpec {
    return { id, start: () => createActor(this.logic(id)), ...more };
  }

  get living(): string[] {
    return [...this.#living.keys()].sort();
  }

  /** Ends one, and lets everything follow that follows. */
  async end(name: string, reason: Reason = 'crashed'): Promise<void> {
    this.#living.get(name)!(reason);
    await settle();
  }

  /** What happened since the last look. */
  news(): string {
    return this.log.splice(0).join(' ');
  }

  /** A supervisor of children by these names. */
  supervise(children: readonly (string | ChildSpec)[], options: Partial<SupervisorOptions> = {}): Supervisor {
    return new Supervisor({
      clock: this.clock,
      ...options,
      children: children.map((child) => (typeof child === 'string' ? this.spec(child) : child)),
    } as SupervisorOptions);
  }
}

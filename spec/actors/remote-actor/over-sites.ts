import { describe } from 'vitest';
import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import { type Bench, fixture, makeBench } from '../../support/sites.ts';

/** The module whose logic runs in sites. */
export const ACTORS = fixture('actors.ts');
export type Actors = typeof import('../../support/fixtures/actors.ts');

/** Runs the same cases over virtual sites and over processes. */
export const overSites = (title: string, cases: (bench: Bench) => void): void => {
  for (const fork of ['virtual', 'sh'] as const) {
    describe(`${title} (${fork})`, () => cases(makeBench(() => ({ fork }))));
  }
};

/** Resolves with the first snapshot that fits. */
export const until = <S extends Snapshot<unknown>>(
  actor: { getSnapshot(): S; subscribe(next: (snapshot: S) => void): unknown },
  fits: (snapshot: S) => boolean,
): Promise<S> =>
  new Promise((resolve) => {
    if (fits(actor.getSnapshot())) resolve(actor.getSnapshot());
    actor.subscribe((snapshot) => fits(snapshot) && resolve(snapshot));
  });

/** Resolves with the next event of a type that an actor emits. */
export const emitted = <T extends EventObject>(
  actor: { on(type: T['type'], listener: (event: T) => void): { unsubscribe(): void } },
  type: T['type'],
): Promise<T> =>
  new Promise((resolve) => {
    const { unsubscribe } = actor.on(type, (event) => {
      unsubscribe();
      resolve(event);
    });
  });

/** Resolves with the error that an actor ends with. */
export const failure = (actor: AnyActorRef): Promise<Error & Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    actor.subscribe({
      error: (error: never) => resolve(error),
      complete: () => reject(new Error('It ended without an error.')),
    });
  });

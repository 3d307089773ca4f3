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

/** Resolves with the first snapshot that fits; rejects with the error of an actor that ends before. */
export const until = <S extends Snapshot<unknown>>(
  actor: {
    getSnapshot(): S;
    subscribe(observer: { next(snapshot: S): void; error(error: unknown): void }): unknown;
  },
  fits: (snapshot: S) => boolean,
): Promise<S> =>
  new Promise((resolve, reject) => {
    if (fits(actor.getSnapshot())) resolve(actor.getSnapshot());
    const next = (snapshot: S) => fits(snapshot) && resolve(snapshot);
    actor.subscribe({ next, error: reject });
  });

type Emits = { on(type: string, listener: (event: EventObject) => void): { unsubscribe(): void } };

/** Resolves with the next event of a type that an actor emits. */
export const emitted = <T>(actor: object, type: string): Promise<T & EventObject> =>
  new Promise((resolve) => {
    const { unsubscribe } = (actor as Emits).on(type, (event) => {
      unsubscribe();
      resolve(event as T & EventObject);
    });
  });

/** Resolves with the error that an actor ends with. */
export const failure = (actor: AnyActorRef): Promise<Error & Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    actor.subscribe({
      error: (error: unknown) => resolve(error as Error & Record<string, unknown>),
      complete: () => reject(new Error('It ended without an error.')),
    });
  });

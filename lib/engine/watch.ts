import { type Calls, proxyOf, release } from '../wire/reference/handle.ts';
import { type Releasable, referenceOf } from '../wire/reference/reference.ts';
import { sitesCalls } from '../wire/shared.ts';

/** Is told once what the calls of a reference reject with from now on. */
export type Tell = (cause: unknown) => void;

/** What a site answers to whoever watches a value through it. */
interface Watching {
  watch(value: object, tell: Tell): Promise<((() => Promise<void>) & Releasable) | undefined>;
}

/** Notes that the peer of a session is a site, by its main object: it can tell of the sites behind it. */
export const isSite = (main: object): void => {
  sitesCalls.add(referenceOf(main)!.calls);
};

/**
 * Tells once when the site is gone in which a value lives, or a site on the way there. Returns what takes that back;
 * `undefined` for what is no reference. Nothing is held in flight for it, so a site that is only watched is idle.
 */
export const watchReference = (value: object, tell: Tell): (() => void) | undefined => {
  const calls = referenceOf(value)?.calls as Calls | undefined;
  if (!calls) return undefined;
  let told = false;
  let stopThere: (() => void) | undefined;
  const stop = () => {
    told = true;
    stopHere();
    stopThere?.();
    stopThere = undefined;
  };
  const once = (cause: unknown) => {
    if (told) return;
    stop();
    tell(cause);
  };
  const stopHere = calls.whenEnded(once);
  if (!sitesCalls.has(calls)) return stop;
  (proxyOf(calls, 0) as unknown as Watching).watch(value, once).then(
    (stopping) => {
      if (!stopping) return;
      stopThere = () => {
        stopping().catch(() => {});
        release(stopping);
      };
      // It was taken back, or told, while the answer was on its way.
      if (told) stop();
    },
    // The reference can't be used any more, or its site is gone, which is told above.
    () => {},
  );
  return stop;
};

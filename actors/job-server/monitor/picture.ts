import type { JobFigures, JobTotals, NodeFigures, Watched } from './watched.ts';

/** So many running jobs are shown. */
const MOST_RUNNING = 200;

/** All that a monitor shows, at one moment. */
export interface Picture {
  readonly name: string;
  /** When it was taken, and since when there is something to see, in milliseconds since 1970. */
  readonly at: number;
  readonly since: number;
  readonly totals: JobTotals;
  readonly nodes: readonly NodeFigures[];
  readonly running: readonly JobFigures[];
  /** The newest first. */
  readonly ended: readonly JobFigures[];
}

/** What is different from one picture to the next. */
export interface Change {
  readonly at: number;
  readonly totals?: JobTotals;
  readonly nodes?: Difference<NodeFigures>;
  readonly running?: Difference<JobFigures>;
  /** Those that have ended in between, the newest first. */
  readonly ended?: readonly JobFigures[];
}

/** What came or is different, and the names or ids of what is gone. */
export interface Difference<T> {
  readonly set: readonly T[];
  readonly gone: readonly string[];
}

/** Looks at all there is now. */
export const takePicture = (watched: Watched): Picture => ({
  name: watched.name,
  at: Date.now(),
  since: watched.since,
  totals: watched.totals(),
  nodes: watched.nodes(),
  running: watched.running(MOST_RUNNING),
  ended: watched.ended(),
});

const difference = <T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): Difference<T> | undefined => {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const set: T[] = [];
  for (const item of after) {
    const key = keyOf(item);
    const known = old.get(key);
    old.delete(key);
    if (known !== item && JSON.stringify(known) !== JSON.stringify(item)) set.push(item);
  }
  return set.length > 0 || old.size > 0 ? { set, gone: [...old.keys()] } : undefined;
};

/** What has to be told to somebody who has the one picture, so that he has the other; `undefined` if nothing. */
export const changeBetween = (before: Picture, after: Picture): Change | undefined => {
  const totals = JSON.stringify(before.totals) === JSON.stringify(after.totals) ? undefined : after.totals;
  const nodes = difference(before.nodes, after.nodes, ({ name }) => name);
  const running = difference(before.running, after.running, ({ id }) => id);
  const known = new Set(before.ended.map(({ id }) => id));
  const ended = after.ended.filter(({ id }) => !known.has(id));
  if (!totals && !nodes && !running && ended.length === 0) return undefined;
  return {
    at: after.at,
    ...(totals && { totals }),
    ...(nodes && { nodes }),
    ...(running && { running }),
    ...(ended.length > 0 && { ended }),
  };
};

/** Within which hours of a day a daemon serves; times are `HH:MM` in its time zone, and may go past midnight. */
export interface ServiceHours {
  /** From when on it takes clients and starts sites. */
  readonly start: string;
  /** From when on it starts nothing more. @default `end` */
  readonly stop?: string;
  /** When what still runs is ended. */
  readonly end: string;
  /** An IANA time zone. @default that of the host */
  readonly timeZone?: string;
}

/** What the hours say of a moment. */
export type HourState = 'serving' | 'draining' | 'closed';

/** What the hours say now, and what they will say next. */
export interface Moment {
  readonly state: HourState;
  /** When that changes, in milliseconds since 1970; nothing if it never does. */
  readonly next?: { readonly at: number; readonly state: HourState };
}

const DAY = 24 * 60;
const MINUTE = 60_000;
/** A change of offset is never as far from the offsets that are asked for. */
const HALF_DAY = (DAY / 2) * MINUTE;

const minutesOf = (time: string): number => {
  const [hours, minutes] = time.split(':').map(Number);
  return hours! * 60 + minutes!;
};

const WRITTEN = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What is wrong with hours, as the end of a sentence about one of their fields; `undefined` if nothing is. */
export const faultOfHours = ({
  start,
  stop = '',
  end,
  timeZone,
}: ServiceHours): { field: keyof ServiceHours; what: string } | undefined => {
  for (const [field, time] of [
    ['start', start],
    ['stop', stop || start],
    ['end', end],
  ] as const) {
    if (!WRITTEN.test(time)) {
      return { field, what: `is ${JSON.stringify(time)}, but must be a time of day from 00:00 to 23:59` };
    }
  }
  const length = (minutesOf(end) - minutesOf(start) + DAY) % DAY;
  if (length === 0) return { field: 'end', what: `is ${end}, as start is, so that there is nothing between` };
  const taken = stop && (minutesOf(stop) - minutesOf(start) + DAY) % DAY;
  if (taken !== '' && (taken === 0 || taken > length)) {
    return { field: 'stop', what: `is ${stop}, which is not after start (${start}) and up to end (${end})` };
  }
  try {
    formatter(timeZone);
  } catch {
    return {
      field: 'timeZone',
      what: `is ${JSON.stringify(timeZone)}, but must be the name of an IANA time zone, as "Europe/Berlin"`,
    };
  }
  return undefined;
};

const formatters = new Map<string | undefined, Intl.DateTimeFormat>();

const formatter = (timeZone: string | undefined): Intl.DateTimeFormat => {
  let known = formatters.get(timeZone);
  if (!known) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' } as const;
    known = new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...parts, minute: '2-digit' });
    formatters.set(timeZone, known);
  }
  return known;
};

interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** What a clock on the wall shows there. */
const wallAt = (at: number, timeZone: string | undefined): Wall =>
  Object.fromEntries(
    formatter(timeZone)
      .formatToParts(at)
      .filter(({ type }) => type !== 'literal')
      .map(({ type, value }) => [type, Number(value)]),
  ) as unknown as Wall;

/** By how much such a clock is ahead of UTC, in milliseconds; both are compared by whole minutes. */
const offsetAt = (at: number, timeZone: string | undefined): number => {
  const { year, month, day, hour, minute } = wallAt(at, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / MINUTE) * MINUTE;
};

/**
 * The moment at which a clock on the wall there shows a time, given as if it were of UTC. Of two such moments (clocks
 * are put back) the first; a time that is left out (clocks are put forward) is taken by the offset before: the rule
 * `compatible` of Temporal.
 */
const momentOf = (wall: number, timeZone: string | undefined): number => {
  const before = wall - offsetAt(wall - HALF_DAY, timeZone);
  const after = wall - offsetAt(wall + HALF_DAY, timeZone);
  const shows = (at: number): boolean => at + offsetAt(at, timeZone) === wall;
  return shows(before) || !shows(after) ? before : after;
};

interface Window {
  readonly start: number;
  readonly stop: number;
  readonly end: number;
}

/** The windows that were asked for last, of each hours: they are the same for a whole day, and take a while to find. */
const known = new WeakMap<ServiceHours, { readonly day: number; readonly windows: readonly Window[] }>();

const windowsOf = (midnight: number, { start, stop, end, timeZone }: ServiceHours): Window[] => {
  const from = minutesOf(start);
  /** The day after, if it is not later on the same day. */
  const later = (time: string): number => minutesOf(time) + (minutesOf(time) <= from ? DAY : 0);
  return [-2, -1, 0, 1, 2].map((days) => {
    const [first, second, third] = [from, later(stop ?? end), later(end)].map((minutes) =>
      momentOf(midnight + (days * DAY + minutes) * MINUTE, timeZone),
    );
    return { start: first!, stop: second!, end: third! };
  });
};

/** The windows of the days around a moment, those that began the day before among them. */
const windowsAround = (at: number, hours: ServiceHours): readonly Window[] => {
  const { year, month, day } = wallAt(at, hours.timeZone);
  const midnight = Date.UTC(year, month - 1, day);
  const last = known.get(hours);
  if (last?.day === midnight) return last.windows;
  const windows = windowsOf(midnight, hours);
  known.set(hours, { day: midnight, windows });
  return windows;
};

const stateIn = (windows: readonly Window[], at: number): HourState => {
  const window = windows.find(({ start, end }) => start <= at && at < end);
  if (!window) return 'closed';
  return at < window.stop ? 'serving' : 'draining';
};

/** What hours say of a moment (in milliseconds since 1970), and when they say something else. */
export const serviceAt = (hours: ServiceHours | undefined, at: number): Moment => {
  if (!hours) return { state: 'serving' };
  const windows = windowsAround(at, hours);
  const state = stateIn(windows, at);
  const next = windows
    .flatMap(({ start, stop, end }) => [start, stop, end])
    .filter((change) => change > at)
    .sort((a, b) => a - b)
    // On a day on which clocks change, a part of a window may be left out.
    .find((change) => stateIn(windows, change) !== state);
  return next === undefined ? { state } : { state, next: { at: next, state: stateIn(windows, next) } };
};

/** When the hours next say that it serves, in milliseconds since 1970. */
export const opensAt = (hours: ServiceHours, at: number): number | undefined => {
  let { next } = serviceAt(hours, at);
  while (next && next.state !== 'serving' && next.at < at + 3 * DAY * MINUTE)
    next = serviceAt(hours, next.at).next;
  return next?.state === 'serving' ? next.at : undefined;
};

/** A moment as people there read it, with the zone. */
export const writtenMoment = (at: number, timeZone?: string): string => {
  const { year, month, day, hour, minute } = wallAt(at, timeZone);
  const two = (number: number): string => String(number).padStart(2, '0');
  const zone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)} (${zone})`;
};

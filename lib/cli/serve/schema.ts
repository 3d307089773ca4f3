import * as v from 'valibot';

/** What a timer of Node.js holds at most, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** Digits, and a unit that stands for 1024, 1024², 1024³ or 1024⁴ bytes. */
export const SIZE = /^(\d{1,15})([kmgt])?$/i;
/** `6:00` is what dispynode's own documentation writes. */
export const TIME = /^([01]?\d|2[0-3]):([0-5]\d)$/;
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;
const PLAIN = /^\P{Cc}+$/u;

const text = v.pipe(v.string('must be text'), v.regex(PLAIN, 'must be text of one line that is not empty'));
const texts = v.pipe(v.array(text, 'must be a list of texts'), v.minLength(1, 'must not be an empty list'));
const flag = v.boolean('must be true or false');

const whole = (least: number, most: number) => {
  const must = `must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(must), v.integer(must), v.minValue(least, must), v.maxValue(most, must));
};

const timeOf = (unit: number, name: string) => {
  const most = Math.floor(LONGEST_TIMER / unit);
  const must = `must be a number of ${name} above 0 and up to ${most}`;
  return v.pipe(
    v.number(must),
    v.check((value) => value * unit >= 1, must),
    v.maxValue(most, must),
  );
};

const SIZE_MUST = 'must be a number of bytes, with k, m, g or t behind it or nothing';
const size = v.union(
  [
    v.pipe(
      v.number(),
      v.check((bytes) => Number.isSafeInteger(bytes) && bytes >= 0, SIZE_MUST),
    ),
    v.pipe(v.string(), v.regex(SIZE, SIZE_MUST)),
  ],
  SIZE_MUST,
);

const time = v.pipe(
  v.string('must be a time as "17:00"'),
  v.regex(TIME, 'must be a time from 00:00 to 23:59, as "17:00"'),
);

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

// Not v.record, which leaves out keys such as "constructor" without a word.
const labels = v.custom<Readonly<Record<string, string>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([key, label]) => LABEL.test(key) && typeof label === 'string' && (label === '' || PLAIN.test(label)),
    ),
  'must be names with texts, where a name has letters, digits and . _ / - only',
);

/** Every option of `offsite serve` that can be kept in a file, under the name and in the unit in which it is typed. */
export const serveSchema = v.strictObject({
  cpus: v.optional(v.pipe(v.number('must be a whole number'), v.integer('must be a whole number'))),
  host: v.optional(texts),
  'ext-ip-addr': v.optional(texts),
  port: v.optional(whole(0, 65_535)),
  name: v.optional(text),
  label: v.optional(labels),
  'secret-file': v.optional(text),
  certfile: v.optional(text),
  keyfile: v.optional(text),
  ca: v.optional(text),
  'password-file': v.optional(text),
  'dest-path-prefix': v.optional(text),
  'max-file-size': v.optional(size),
  'scheduler-host': v.optional(texts),
  'zombie-interval': v.optional(timeOf(60_000, 'minutes')),
  'msg-timeout': v.optional(timeOf(1_000, 'seconds')),
  clean: v.optional(flag),
  'service-start': v.optional(time),
  'service-stop': v.optional(time),
  'service-end': v.optional(time),
  'time-zone': v.optional(v.pipe(text, v.check(isTimeZone, 'must be a time zone as "Europe/Stockholm"'))),
  serve: v.optional(
    v.pipe(
      v.number('must be a whole number'),
      v.integer('must be a whole number'),
      v.minValue(-1, 'must be at least 0, or -1 for no bound'),
    ),
  ),
  'idle-exit': v.optional(timeOf(1_000, 'seconds')),
  'restart-workers': v.optional(flag),
  init: v.optional(text),
  uid: v.optional(v.union([text, whole(0, 2 ** 32 - 2)], 'must be the name or the number of a user')),
  'pid-file': v.optional(text),
  daemon: v.optional(flag),
  'log-file': v.optional(text),
  json: v.optional(flag),
});

/** What was said of how to serve; what is not in it is left to its default. */
export type ServeConfig = v.InferOutput<typeof serveSchema>;

import { Buffer } from 'node:buffer';

/**
 * Keys of the journal: a letter for what it is, then numbers with their highest byte first, so that LevelDB's order of
 * bytes is the order that is wanted.
 */

/** What lies under which first byte; these numbers are part of the format. */
export const Table = {
  /** The format's version and the next number of a submission. */
  meta: 0x01,
  /** What the jobs of one submission have in common. */
  submission: 0x02,
  /** How many jobs a submission has, and of how many the results are gone. */
  counts: 0x03,
  /** The arguments of a job. */
  job: 0x04,
  /** That a job is queued. */
  queued: 0x05,
  /** That it was started, and where. */
  started: 0x06,
  outcome: 0x07,
  /** Outcomes of one submission in the order in which they came. */
  order: 0x08,
  /** Outcomes by when they expire. */
  expiry: 0x09,
  /** How to come back into a site. */
  site: 0x0a,
} as const;

/** One job: the number of its submission, and which one it is in there. */
export interface JobPlace {
  readonly submission: number;
  readonly index: number;
}

const NUMBER = 6;

const withNumbers = (table: number, ...numbers: number[]): Buffer => {
  const key = Buffer.allocUnsafe(1 + numbers.length * NUMBER);
  key[0] = table;
  for (const [at, number] of numbers.entries()) key.writeUIntBE(number, 1 + at * NUMBER, NUMBER);
  return key;
};

/** The key of a name in a table. */
export const namedKey = (table: number, name: string): Buffer =>
  Buffer.concat([Buffer.of(table), Buffer.from(name)]);

/** The key of a submission in a table. */
export const submissionKey = (table: number, submission: number): Buffer => withNumbers(table, submission);

/** The key of a job in a table. */
export const jobKey = (table: number, { submission, index }: JobPlace): Buffer =>
  withNumbers(table, submission, index);

/** The key of the outcome that came as the `order`th of its submission. */
export const orderKey = (submission: number, order: number): Buffer =>
  withNumbers(Table.order, submission, order);

/** The key of what expires at a time, in milliseconds. */
export const expiryKey = (at: number, { submission, index }: JobPlace): Buffer =>
  withNumbers(Table.expiry, at, submission, index);

/** The first key behind all that begin as this one. */
export const behind = (prefix: Buffer): Buffer => {
  const end = Buffer.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    if (end[at]! < 0xff) {
      end[at]!++;
      return end.subarray(0, at + 1);
    }
  }
  return Buffer.of(0xff);
};

/** All keys that begin so, as bounds of an iterator. */
export const within = (prefix: Buffer): { gte: Buffer; lt: Buffer } => ({ gte: prefix, lt: behind(prefix) });

/** All keys of a table. */
export const all = (table: number): { gte: Buffer; lt: Buffer } => within(Buffer.of(table));

/** Where a key begins to say which job it is of: its last two numbers. */
export const placeIn = (key: Buffer): JobPlace => ({
  submission: key.readUIntBE(key.length - 2 * NUMBER, NUMBER),
  index: key.readUIntBE(key.length - NUMBER, NUMBER),
});

/** The last number of a key. */
export const numberIn = (key: Buffer): number => key.readUIntBE(key.length - NUMBER, NUMBER);

/** The keys of all that is queued with one priority begin with this: the highest priority is first. */
export const priorityPrefix = (priority: number): Buffer => {
  const key = Buffer.allocUnsafe(9);
  key[0] = Table.queued;
  // -0 and 0 are one priority.
  key.writeDoubleBE(-priority || 0, 1);
  const negative = (key[1]! & 0x80) !== 0;
  // The order of bytes is that of numbers if those below zero are turned over, and the others lie above them.
  for (let at = 1; at < 9; at++) key[at]! ^= negative ? 0xff : at === 1 ? 0x80 : 0;
  return key;
};

/** The key under which a job is queued. */
export const queuedKey = (prefix: Buffer, { submission, index }: JobPlace): Buffer => {
  const key = Buffer.allocUnsafe(9 + 2 * NUMBER);
  prefix.copy(key);
  key.writeUIntBE(submission, 9, NUMBER);
  key.writeUIntBE(index, 9 + NUMBER, NUMBER);
  return key;
};

/** The priority of a queued job's key. */
export const priorityIn = (key: Buffer): number => {
  const bytes = Buffer.from(key.subarray(1, 9));
  const positive = (bytes[0]! & 0x80) !== 0;
  for (let at = 0; at < 8; at++) bytes[at]! ^= positive ? (at === 0 ? 0x80 : 0) : 0xff;
  return -bytes.readDoubleBE(0) || 0;
};

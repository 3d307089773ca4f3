import { Job, recordOf } from './job.ts';
import type { JobRecord } from './job-record.ts';

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Whether a value may have parts in which jobs lie. */
const hasParts = (value: unknown): value is Record<string, unknown> | unknown[] =>
  typeof value === 'object' && value !== null && (Array.isArray(value) || isPlainObject(value));

const find = (value: unknown, found: Set<JobRecord>, seen: Set<object>): void => {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Job) {
    found.add(recordOf(value));
    return;
  }
  if (!hasParts(value) || seen.has(value)) return;
  seen.add(value);
  for (const part of Array.isArray(value) ? value : Object.values(value)) find(part, found, seen);
};

/** The jobs whose results are arguments, at the top or in arrays and plain objects; `undefined` if there are none. */
export const jobsIn = (args: readonly unknown[]): Set<JobRecord> | undefined => {
  // Most arguments have no parts, and then nothing is made.
  if (!args.some((arg) => typeof arg === 'object' && arg !== null && (arg instanceof Job || hasParts(arg)))) {
    return undefined;
  }
  const found = new Set<JobRecord>();
  const seen = new Set<object>();
  for (const arg of args) find(arg, found, seen);
  return found.size === 0 ? undefined : found;
};

const resolved = (value: unknown, made: Map<object, unknown>): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Job) return recordOf(value).value;
  if (!hasParts(value)) return value;
  const known = made.get(value);
  if (known) return known;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
  made.set(value, copy);
  for (const [key, part] of Object.entries(value))
    (copy as Record<string, unknown>)[key] = resolved(part, made);
  return copy;
};

/** The arguments with the results in place of their jobs, which are finished. */
export const withResults = (args: readonly unknown[]): unknown[] => {
  const made = new Map<object, unknown>();
  return args.map((arg) => resolved(arg, made));
};

import { registerType } from '../../wire/codec/register.ts';
import { nameError, OffsiteError } from '../../wire/errors.ts';
import { shared } from '../../wire/shared.ts';
import { memberOf } from '../current.ts';
import { ClusterClosedError } from '../errors.ts';

/** A broadcast value is not in this process: it was freed, or is not here yet; `ERR_OFFSITE_BROADCAST`. */
export class BroadcastError extends OffsiteError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OFFSITE_BROADCAST', message, options);
  }
}
nameError(BroadcastError, 'BroadcastError');

/** Registered, so that all copies of this code know each other's. */
const brand = Symbol.for('offsite.broadcast');

/** A broadcast as it crosses. */
interface BroadcastText {
  readonly cluster: string;
  readonly owner: number;
  readonly number: number;
  readonly asValue?: boolean;
}

/**
 * A value that was sent to each worker once. Given as an argument it arrives as the same, with the value beside it. It
 * lies in all processes until it is freed, its owner ends, or the cluster is closed. It is to be read: virtual sites see
 * one copy of its bytes, in shared memory, and others each have their own.
 */
export class Broadcast<T = unknown> implements Disposable {
  /** The cluster it is in. */
  readonly cluster: string;
  /** The process that has made it. */
  readonly owner: number;
  readonly number: number;
  /** Whether functions get the value in place of this. */
  readonly asValue: boolean;
  declare readonly '~value'?: T;

  constructor({ cluster, owner, number, asValue = false }: BroadcastText) {
    this.asValue = asValue;
    this.cluster = cluster;
    this.owner = owner;
    this.number = number;
  }

  get [brand](): true {
    return true;
  }

  /** The value. Throws BroadcastError if it was freed, or this arrived within another value and was not loaded. */
  get value(): T {
    return this.#broadcasts.get(this) as T;
  }

  /** Whether the value is in this process. */
  get isLoaded(): boolean {
    return this.#broadcasts.has(this);
  }

  /** The value; a process that joined later gets it from the owner. Rejects with BroadcastError, and as calls do. */
  async load(): Promise<T> {
    return (await this.#broadcasts.load(this)) as T;
  }

  /** Drops the value in all processes. Can be called again; never rejects. */
  async free(): Promise<void> {
    await memberOf(this.cluster)?.broadcasts.free(this);
  }

  [Symbol.dispose](): void {
    void this.free();
  }

  get #broadcasts() {
    const member = memberOf(this.cluster);
    if (member) return member.broadcasts;
    throw new ClusterClosedError(
      `This process is not in the cluster ${this.cluster} of a broadcast (any more).`,
    );
  }
}

/** The name of a broadcast in its cluster. */
export const keyOf = ({ owner, number }: BroadcastText): string => `${owner}:${number}`;

const isBroadcast = (value: unknown): value is Broadcast =>
  typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;

const isMissing = (value: unknown): value is Broadcast => isBroadcast(value) && !value.isLoaded;

/** The arguments as a function gets them: with the values of broadcasts here, and in place of those that want it. */
export const withBroadcasts = (
  args: readonly unknown[],
): readonly unknown[] | Promise<readonly unknown[]> => {
  // Most calls have none, and this is in the way of each.
  if (!args.some(isBroadcast)) return args;
  const here = () => args.map((arg) => (isBroadcast(arg) && arg.asValue ? arg.value : arg));
  const missing = args.filter(isMissing);
  return missing.length === 0 ? here() : Promise.all(missing.map((broadcast) => broadcast.load())).then(here);
};

/** Lets broadcasts cross; once, for all copies of this code. */
export const registerBroadcasts = (): void => {
  shared('clusterBroadcasts', () => {
    registerType<Broadcast, BroadcastText>({
      name: 'offsite.Broadcast',
      isApplicable: isBroadcast,
      serialize: ({ cluster, owner, number, asValue }) => ({ cluster, owner, number, asValue }),
      deserialize: (text) => new Broadcast(text),
    });
    return {};
  });
};

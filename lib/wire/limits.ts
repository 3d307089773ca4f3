import { LimitError, ProtocolError } from './errors.ts';

/** What one session may take of this process; a peer that asks for more loses its link. */
export interface Limits {
  /** Bytes of one message, with all that travels beside it. @default 1 GiB */
  messageSize: number;
  /**
   * Bytes of one frame: all the strings, the structure and the small bytes of a message; large bytes travel beside it.
   * @default 256 MiB, half of the longest string that V8 can hold
   */
  frameSize: number;
  /** How deep values may be nested. @default 1000 */
  depth: number;
  /** Values of one side that the other may hold at once. @default 1,000,000 */
  references: number;
  /** Calls of one side that may wait for their answers at once. @default 500,000 */
  calls: number;
  /** Streams that may be open at once. @default 10,000 */
  streams: number;
}

/** The limits of a session that nobody gave any. */
export const DEFAULT_LIMITS: Limits = {
  messageSize: 1 << 30,
  frameSize: 1 << 28,
  depth: 1_000,
  references: 1_000_000,
  calls: 500_000,
  streams: 10_000,
};

const CODES: Record<keyof Limits, string> = {
  messageSize: 'ERR_OFFSITE_MESSAGE_SIZE',
  frameSize: 'ERR_OFFSITE_FRAME_SIZE',
  depth: 'ERR_OFFSITE_DEPTH',
  references: 'ERR_OFFSITE_REFERENCES',
  calls: 'ERR_OFFSITE_CALLS',
  streams: 'ERR_OFFSITE_STREAMS',
};

/** Checks limits that a peer has sent; throws ProtocolError. */
export const checkLimits = (limits: unknown): void => {
  if (typeof limits !== 'object' || limits === null)
    throw new ProtocolError('The limits that came are none.');
  for (const [name, bound] of Object.entries(limits)) {
    if (!Object.hasOwn(CODES, name) || !Number.isSafeInteger(bound) || bound < 1) {
      throw new ProtocolError(`The limit ${name} came as ${JSON.stringify(bound)}, which can be none.`);
    }
  }
};

/** The error for a limit that was passed; `what` is a clause that says what was too much. */
export const passed = (limit: keyof Limits, bound: number, what: string): LimitError =>
  new LimitError(
    CODES[limit],
    limit,
    bound,
    `${what}, and ${bound} is the most; give the option limits.${limit} more, or send less at once.`,
  );

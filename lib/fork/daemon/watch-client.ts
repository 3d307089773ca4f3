import type { Ends } from '../../access/visitor.ts';
import { CutOff } from '../elastic/cut-off.ts';

/** How often a client is asked for a sign of life at least, in milliseconds. */
const ASK_EVERY = 30_000;
/** How often it is looked whether a client is cut off, as a part of what it bears. */
const LOOKS = 8;

/** A connection to a client, as far as it is watched. */
export interface Watched {
  /** When he was last heard, on the clock of `performance.now()`. */
  readonly heardAt: number;
  ping(): void;
  drop(cause: Error): void;
}

/** What a client is borne. */
export interface Patience {
  /** He who gives no sign of life for so long has gone, in milliseconds. */
  readonly lease: number;
  /** He who acknowledges nothing for so long is cut off, in milliseconds; may be `Infinity`. */
  readonly endAfter: number;
}

/**
 * Drops the connection to a client who is cut off, or gives no sign of life; `clearInterval` ends that. It does not keep
 * the process alive.
 */
export const watchClient = (client: Watched, ends: Ends, { lease, endAfter }: Patience): NodeJS.Timeout => {
  const cutOff = new CutOff(ends);
  const every = Math.min(ASK_EVERY, lease / 3, endAfter / LOOKS);
  const most = Math.ceil(lease / every - 1e-9);
  let [heardAt, silent] = [client.heardAt, 0];
  return setInterval(() => {
    // Looks are counted, and not time: while this process stood still, or its host slept, nobody could be heard.
    silent = client.heardAt === heardAt ? silent + 1 : 0;
    heardAt = client.heardAt;
    if (silent >= most) client.drop(new Error(`Nothing was heard of the client for ${lease} ms.`));
    else if (endAfter !== Infinity && cutOff.look() >= endAfter)
      client.drop(new Error(`The client did not acknowledge anything for ${endAfter} ms.`));
    else client.ping();
  }, every).unref();
};

import { HIGH_WATER } from '../../wire/link/link.ts';
import type { ClosableSocket } from '../../wire/link/websocket.ts';

/** How long what was sent last may take to leave when the other side has ended, in milliseconds. */
const FLUSH_WITHIN = 1_000;

const flow = (from: ClosableSocket, to: ClosableSocket): Promise<void> =>
  new Promise((resolve) => {
    from.on('message', (data, isBinary) => {
      const full = to.bufferedAmount > HIGH_WATER;
      // Who sends is held up, so that what the other side does not read does not gather here.
      if (full) from.pause();
      to.send(data as Buffer, { binary: isBinary }, () => {
        if (full) from.resume();
      });
    });
    from.on('error', () => {});
    from.on('close', () => {
      const late = setTimeout(() => to.terminate(), FLUSH_WITHIN).unref();
      to.on('close', () => clearTimeout(late));
      to.resume();
      to.close();
      resolve();
    });
  });

/**
 * Hands on each message of two WebSockets to the other, none of which is looked at, until either ends; then the other is
 * ended too. Resolves when both have.
 */
export const joinSockets = async (one: ClosableSocket, other: ClosableSocket): Promise<void> => {
  const over = Promise.all([flow(one, other), flow(other, one)]);
  one.resume();
  other.resume();
  await over;
};

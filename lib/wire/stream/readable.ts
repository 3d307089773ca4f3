// Only its types: to load it takes a site several milliseconds, and the global variable loads it at the first use.
import type { ReadableStreamDefaultController } from 'node:stream/web';
import type { Consumer, Waiter } from './consumer.ts';

/**
 * A ReadableStream of another site, as this site's code sees it: a real one, which keeps nothing itself, because the
 * window of the credit is what is read ahead. `watch` is given what lives as long as it does.
 */
export const remoteReadable = (
  consumer: Consumer,
  watch: (alive: object) => void,
): ReadableStream<unknown> => {
  type Controller = ReadableStreamDefaultController<unknown>;
  // The consumer stands in a table, and must not keep the stream from being collected.
  let weakly: WeakRef<Controller> | undefined;
  /** The stream was closed, errored or cancelled, and its controller would throw if that were done again. */
  let over = false;

  /** One read that waits. Through the controller it holds the stream. */
  const waiterOf = (controller: Controller, settle: () => void): Waiter => {
    const finish = (how: () => void) => {
      if (!over) {
        over = true;
        how();
      }
      settle();
    };
    return {
      item(value) {
        controller.enqueue(value);
        settle();
      },
      done: () => finish(() => controller.close()),
      failed: (cause) => finish(() => controller.error(cause)),
    };
  };

  /** Ends the stream as soon as all was read, so that `reader.closed` settles without another read. */
  const conclude = (controller: Controller) => {
    // An item whose reader has let go of the lock waits in the stream, and an error would drop it.
    if (!over && controller.desiredSize === 0) consumer.conclude(waiterOf(controller, () => {}));
  };

  consumer.onOutcome = () => {
    const controller = weakly?.deref();
    if (controller) conclude(controller);
  };
  return new ReadableStream<unknown>(
    {
      start(controller) {
        weakly = new WeakRef(controller);
        // Not the stream: what Node.js 20 constructs is a wrapper, which the stream itself outlives.
        watch(controller);
      },
      pull(controller) {
        if (!consumer.ready) {
          return new Promise<void>((resolve) => consumer.wait(waiterOf(controller, resolve)));
        }
        controller.enqueue(consumer.take());
        conclude(controller);
        return undefined;
      },
      cancel(reason) {
        over = true;
        consumer.stop(reason);
      },
    },
    { highWaterMark: 0 },
  );
};

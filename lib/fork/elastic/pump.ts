import type { Link } from '../../wire/link/link.ts';

/** Hands on what arrives at one link to the other; resolves when nothing more will. */
const flow = (from: Link, to: Link): Promise<void> =>
  new Promise((resolve) => {
    let held = false;
    from.open({
      receive: (bytes, start, end) => {
        // The memory is the link's; what is sent is read later.
        to.send(Buffer.from(bytes.subarray(start, end)));
        if (!to.congested || held) return;
        // Who sends is held up, so that what the other side does not read does not gather here.
        held = true;
        from.pause?.();
        void to.drained().then(() => {
          held = false;
          from.resume?.();
        });
      },
      disconnected: () => resolve(),
    });
  });

/** Makes two links one, in both directions; resolves when nothing more comes from the first. */
export const pump = (near: Link, far: Link): Promise<void> => {
  void flow(far, near);
  return flow(near, far);
};

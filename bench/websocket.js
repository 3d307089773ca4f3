// Calls over a WebSocket, from this process to another on 127.0.0.1.
import { Buffer } from 'node:buffer';
import { connect } from 'offsite';
import { listener, rawWebSocket } from './floors/websocket.js';
import { addAtOnce, awaited } from './harness.js';

const AWAITED = 1_000;
const AT_ONCE = 20_000;
/** About what a small call takes on the wire. */
const MESSAGE = Buffer.alloc(64, 'x');

/** @param {import('./harness.js').Harness} harness */
const connected = async (harness) => {
  const server = harness.own(await listener(new URL('./websocket-server.js', import.meta.url)));
  return /** @type {{ main: import('./site.js').SiteModule }} */ (harness.own(await connect(server.url)))
    .main;
};

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const main = await connected(harness);
  const plain = harness.own(await rawWebSocket({ hotFor: 0 }));
  const hot = harness.own(await rawWebSocket());
  await harness.compare('awaited add(1, 2), WebSocket', {
    offsite: () => awaited(AWAITED, () => main.add(1, 2)),
    'raw ws, 64 bytes': () => awaited(AWAITED, () => plain.trip(MESSAGE)),
    'raw ws, 64 bytes, both ends hot': () => awaited(AWAITED, () => hot.trip(MESSAGE)),
  });
  harness.level('20,000 add(1, 2) at once, each, WebSocket', await addAtOnce(main, AT_ONCE), 'us');
};

import { Session } from '../../dist/lib/wire/session.js';
import { FuzzLink } from './link.js';
import { makeVictim } from './victim.js';

/** How long one input may keep the thread, in milliseconds; many times what the slowest takes. */
const MOST_TIME = 3_000;

const quiet = () => {};
const turn = () => new Promise(setImmediate);

/** What went wrong outside of any call, since it was asked last. */
const strays = [];
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (cause) => strays.push(`${event}: ${cause?.stack ?? cause}`));
}

/** A pair of sessions that has nothing to do with the fuzzed one, in the same process. */
export const makeBystander = () => {
  const [a, b] = [new FuzzLink(), new FuzzLink()];
  [a.peer, b.peer] = [b, a];
  const near = new Session('far', {}, {});
  near.attach(a);
  new Session('near', makeVictim(), {}).attach(b);
  return async () => {
    const sum = await near.main.add(1, 1);
    a.sent.length = 0;
    b.sent.length = 0;
    if (sum !== 2) throw new Error('The bystander does not answer.');
  };
};

const check = (holds, message) => {
  if (!holds) throw new Error(message);
};

/** Feeds one input to a fresh session; throws if anything but that session comes to harm. */
export const tryInput = async ({ sharesMemory, frames, together, turns }, bystander) => {
  strays.length = 0;
  const link = new FuzzLink(sharesMemory);
  const owner = {
    disconnected: () => session.end((mayHaveRun) => new Error(`over, ${mayHaveRun}`)),
  };
  const session = new Session('fuzzed', makeVictim(), owner, {
    sharesMemory,
    limits: { messageSize: 64 * 1024 * 1024, calls: 2_000, references: 2_000, streams: 100 },
  });
  session.attach(link);
  let settled = 0;
  const waiting = [session.main.x(), session.main.y((x) => x), session.ping(), session.main.z().then(quiet)];
  for (const promise of waiting)
    promise.then(
      () => settled++,
      () => settled++,
    );

  const start = performance.now();
  const feed = (bytes, beside) => {
    try {
      link.deliver(bytes, beside, turns ? 0 : 12);
    } catch (cause) {
      throw new Error('Something was thrown out of the session.', { cause });
    }
  };
  if (together) feed(Buffer.concat(frames.map(({ frame }) => frame)), frames[0]?.beside);
  else {
    for (const { frame, beside } of frames) {
      feed(frame, beside);
      if (turns) await null;
    }
  }
  await turn();
  await turn();
  await bystander();
  check(link.disconnects <= 1, 'The session disconnected more than once.');
  if (link.cause) {
    check(
      /^ERR_OFFSITE_(PROTOCOL|UNDECODABLE)$/.test(link.cause.code),
      `The link was closed with an error that is not clear: ${link.cause.stack}`,
    );
  }
  session.end((mayHaveRun) => new Error(`over, ${mayHaveRun}`));
  link.destroy();
  await turn();
  await turn();
  const took = performance.now() - start;
  const { exports, imports, streams } = session.references;
  check(session.inFlight + exports + imports + streams === 0, 'A table is not empty after the end.');
  check(settled === waiting.length, `Only ${settled} of ${waiting.length} calls have settled after the end.`);
  check(strays.length === 0, strays.join('\n'));
  check(took < MOST_TIME, `One input took ${Math.round(took)} ms.`);
};

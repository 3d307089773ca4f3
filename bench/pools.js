// The same calls beside what else Node.js programs use for them: one worker each.
import { counters } from './floors/counters.js';
import { addAtOnce, awaited } from './harness.js';
import { processPeers, startPeers, threadPeers } from './peers/peers.js';
import { siteModule } from './site.js';
import { SLEEPERS } from './targets.js';

const AWAITED = 1_000;
const AT_ONCE = 20_000;
/** The peers take seconds for a round of these. */
const few = { rounds: 5, warmUp: 1 };

/** @typedef {import('./peers/peers.js').Peer} Peer */
/** @typedef {Record<string, Peer | 'not here'>} Peers */

/**
 * A round of each peer, for those that are here.
 * @param {Peers} peers
 * @param {(peer: Peer) => import('./harness.js').Round} roundOf
 * @returns {Record<string, import('./harness.js').Contender>}
 */
const rounds = (peers, roundOf) =>
  Object.fromEntries(
    Object.entries(peers).map(([name, peer]) => [name, peer === 'not here' ? peer : roundOf(peer)]),
  );

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const virtual = await siteModule(harness, 'virtual');
  const sh = await siteModule(harness, 'sh');
  const sleepyWords = harness.own(counters({ hotFor: 0 }));
  const threads = await startPeers(harness, threadPeers);
  const processes = await startPeers(harness, processPeers);
  const oneByOne = (/** @type {Peer} */ peer) => () => awaited(AWAITED, () => peer.add(1, 2));
  const together = (/** @type {Peer} */ peer) => () => addAtOnce(peer, AT_ONCE);

  await harness.compare('awaited add(1, 2), virtual and pools', {
    offsite: () => awaited(AWAITED, () => virtual.add(1, 2)),
    ...rounds(threads, oneByOne),
    // Says in this run what a wake-up costs, on which the target hangs.
    [SLEEPERS]: () => awaited(AWAITED, () => sleepyWords.trip()),
  });
  await harness.compare('awaited add(1, 2), sh and pools', {
    offsite: () => awaited(AWAITED, () => sh.add(1, 2)),
    ...rounds(processes, oneByOne),
  });
  await harness.compare(
    '20,000 add(1, 2) at once, each, virtual and pools',
    { offsite: () => addAtOnce(virtual, AT_ONCE), ...rounds(threads, together) },
    few,
  );
  await harness.compare(
    '20,000 add(1, 2) at once, each, sh and pools',
    { offsite: () => addAtOnce(sh, AT_ONCE), ...rounds(processes, together) },
    few,
  );
};

// Calls to a process site beside those of the language that is known for them: erpc between two nodes on this host.
import { addAtOnce, awaited } from './harness.js';
import { erlang, hasErlang } from './peers/erlang.js';
import { siteModule } from './site.js';

const AWAITED = 1_000;
const AT_ONCE = 20_000;
/** Erlang's calls at once come from as many processes, each of which calls one after another. */
const PROCESSES = 32;

/** @param {import('./harness.js').Harness} harness */
export const bench = async (harness) => {
  const sh = await siteModule(harness, 'sh');
  const nodes = hasErlang() ? harness.own(await erlang()) : undefined;
  await harness.compare('awaited add(1, 2), sh and Erlang', {
    offsite: () => awaited(AWAITED, () => sh.add(1, 2)),
    'erpc between two nodes': nodes ? () => nodes.awaited(AWAITED) : 'not here',
  });
  await harness.compare('20,000 add(1, 2) at once, each, sh and Erlang', {
    offsite: () => addAtOnce(sh, AT_ONCE),
    'erpc from 32 processes': nodes ? () => nodes.together(AT_ONCE, PROCESSES) : 'not here',
  });
};

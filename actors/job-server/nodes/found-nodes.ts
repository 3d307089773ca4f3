import type { Credentials } from '../../../lib/access/credentials.ts';
import { written } from '../../../lib/cluster/direct/address.ts';
import type { FoundNode, Trial } from '../../../lib/discovery/node.ts';
import { type NodeWatch, watchNodes } from '../../../lib/discovery/watch.ts';
import { askNode } from '../../../lib/fork/daemon/ask-node.ts';
import type { NodeState } from '../../../lib/fork/daemon/node-state.ts';
import { textOf } from '../../../lib/wire/codec/remote-error.ts';
import type { NodeSource, NodeSourceEvents } from './node-source.ts';

const inWords = ({ what, interface: where, address, outcome, error }: Trial): string => {
  const at = [address, where && `on ${where}`].filter(Boolean).join(' ');
  return `${what}${at && ` ${at}`}: ${error ? error.message : outcome}`;
};

/**
 * Daemons that are found where words say: 'auto' on the local network, 'host:*', 'srv:NAME' or '@FILE'. Only what
 * answers with this program's credentials is told. Rejects with OptionError.
 */
export const findServers = async (
  words: readonly string[],
  credentials: Credentials | undefined,
  events: NodeSourceEvents,
): Promise<NodeSource> => {
  const watch: NodeWatch<NodeState> = await watchNodes<NodeState>(words, {
    probe: (address, options) => askNode(address, { ...options, ...(credentials && { credentials }) }),
    onTrial: (trial) => events.trouble(inWords(trial)),
  });
  const foundAt = ({ address }: FoundNode<NodeState>) => ({ host: written(address) });
  const told = (async () => {
    for await (const change of watch) {
      if ('up' in change) events.up(foundAt(change.up));
      else events.down(foundAt(change.down));
    }
  })().catch((cause: unknown) => events.trouble(textOf(cause)));
  return {
    close: async () => {
      await watch.close();
      await told;
    },
  };
};

import process from 'node:process';
import type { Credentials } from '../access/credentials.ts';
import { findNodes } from '../discovery/find.ts';
import type { Search, Trial } from '../discovery/node.ts';
import { SEARCH_WITHIN } from '../discovery/options.ts';
import { inVain, trialLines } from '../discovery/report.ts';
import { askNode } from '../fork/daemon/ask-node.ts';
import type { NodeState } from '../fork/daemon/node-state.ts';
import { OptionError } from '../wire/errors.ts';
import { type Command, numberOf, type Parsed } from './command.ts';
import { untilInterrupted } from './detached/where.ts';
import { nodeTable } from './nodes/table.ts';
import { UsageError } from './report.ts';

const CREDENTIALS = {
  'secret-file': 'secretFile',
  certfile: 'certfile',
  keyfile: 'keyfile',
  ca: 'ca',
} as const satisfies Record<string, keyof Credentials>;

const credentialsOf = ({ args }: Parsed): Credentials =>
  Object.fromEntries(
    Object.entries(CREDENTIALS).flatMap(([option, name]) => {
      const file = args[option];
      return typeof file === 'string' ? [[name, file]] : [];
    }),
  );

/** A trial as JSON has it: an error has no fields of its own there. */
const plain = ({ error, ...trial }: Trial) => ({
  ...trial,
  ...(error && { error: error.message, code: (error as NodeJS.ErrnoException).code }),
});

const tell = (where: readonly string[], { nodes, trials, took }: Search): void => {
  const lines = trialLines(inVain({ nodes, trials, took }));
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (nodes.length > 0) return;
  process.stderr.write(
    `No node was found by ${where.join(', ')}. A daemon without credentials listens on loopback only and is not announced.\n` +
      '  → Start one with offsite serve and a key of offsite keygen, or name one: offsite nodes HOST[:PORT]\n',
  );
};

const found = async (
  where: readonly string[],
  parsed: Parsed,
  signal: AbortSignal,
): Promise<Search<NodeState>> => {
  const credentials = credentialsOf(parsed);
  const interfaces = parsed.all('interface');
  const timeout = (numberOf(parsed, 'timeout', { least: 0.001 }) ?? SEARCH_WITHIN / 1000) * 1000;
  try {
    return await findNodes(where, {
      probe: (address, options) => askNode(address, { ...options, credentials }),
      timeout,
      signal,
      ...(interfaces.length > 0 && { interfaces }),
    });
  } catch (cause) {
    if (!(cause instanceof OptionError) || cause.option !== 'where') throw cause;
    throw new UsageError(cause.message, 'For instance: offsite nodes auto node-1 node-2:35001');
  }
};

/** `offsite nodes`: which nodes are there, and why others can't be used. */
export const nodes: Command = {
  name: 'nodes',
  description: 'Find nodes in the network, or where you say, and show how they do',
  operands: '[WHERE...]',
  args: {
    'secret-file': {
      type: 'string',
      valueHint: 'FILE',
      description: 'The key to show them (offsite keygen)',
    },
    certfile: { type: 'string', valueHint: 'FILE', description: 'Your certificate, for mutual TLS' },
    keyfile: { type: 'string', valueHint: 'FILE', description: 'Its private key' },
    ca: { type: 'string', valueHint: 'FILE', description: 'The authorities that theirs must come from' },
    interface: {
      type: 'string',
      valueHint: 'NAME',
      description: 'Ask on this interface only, by its name or address; may be repeated',
    },
    timeout: {
      type: 'string',
      valueHint: 'S',
      description: `Seconds that all of it may take (default: ${SEARCH_WITHIN / 1000})`,
    },
    json: { type: 'boolean', description: 'Print one line of JSON instead: nodes, trials, took' },
  },
  notes: [
    [
      'WHERE',
      '',
      '  auto         nodes that announce themselves in this network (the default)',
      '  HOST[:PORT]  a node at an address; port 35000 unless said',
      '  HOST:*       all nodes of a host: its ports 35000 to 35015, and what it announces',
      '  srv:NAME     the targets of DNS SRV records, _offsite._tcp.NAME unless NAME begins with _',
      '  @FILE        such words, one a line',
    ].join('\n'),
  ],
  examples: [
    ['offsite nodes', 'Who is in this network?'],
    ['offsite nodes node-1 node-2:35001', 'Do these two serve, and may I use them?'],
    ["offsite nodes 'bamse:*'", 'All daemons of one host'],
    ['offsite nodes srv:example.org --json | jq .trials', 'What was tried, and how long it took'],
  ],
  run: async (parsed) => {
    const where = parsed.rest.length > 0 ? parsed.rest : ['auto'];
    const { signal, code, restore } = untilInterrupted();
    try {
      const search = await found(where, parsed, signal);
      if (parsed.args.json === true) {
        const trials = search.trials.map(plain);
        process.stdout.write(`${JSON.stringify({ nodes: search.nodes, trials, took: search.took })}\n`);
      } else if (search.nodes.length > 0) {
        process.stdout.write(`${nodeTable(search.nodes).join('\n')}\n`);
      }
      tell(where, search);
      return search.nodes.length > 0 ? 0 : 1;
    } catch (cause) {
      // Who pressed Ctrl-C needs no error that says so.
      if (signal.aborted && code() !== 0) return code();
      throw cause;
    } finally {
      restore();
    }
  },
};

import type { NodeFigures, Watched } from './watched.ts';

/** The media type of Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number | undefined, labels?: Labels];

const escaped = (value: string): string =>
  value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

const labelled = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

const family = (
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly Sample[],
): string => {
  const lines = samples.flatMap(([value, labels = {}]) =>
    value === undefined ? [] : [`${name}${labelled(labels)} ${value}`],
  );
  return lines.length === 0
    ? ''
    : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
};

const STATES = ['starting', 'serving', 'draining', 'closed', 'lost', 'dropped'];

const seconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

/** All figures in Prometheus' text format; times in seconds, as its users expect. */
export const metricsOf = (watched: Watched): string => {
  const { submitted, queued, running, done, failed, cancelled, jobTime } = watched.totals();
  const nodes = watched.nodes();
  const perNode = (value: (node: NodeFigures) => number | undefined): Sample[] =>
    nodes.map((node) => [value(node), { node: node.name }]);
  const bytes = (node: NodeFigures, what: 'memory' | 'disk', part: 'total' | 'free') => node[what]?.[part];
  return [
    family('offsite_start_time_seconds', 'gauge', 'When the job server began, since 1970.', [
      [seconds(watched.since)],
    ]),
    family('offsite_jobs_submitted_total', 'counter', 'Jobs that were submitted.', [[submitted]]),
    family('offsite_jobs_queued', 'gauge', 'Jobs that have not begun.', [[queued]]),
    family('offsite_jobs_running', 'gauge', 'Jobs that run.', [[running]]),
    family('offsite_jobs_ended_total', 'counter', 'Jobs that are over, by how they ended.', [
      [done, { outcome: 'done' }],
      [failed, { outcome: 'failed' }],
      [cancelled, { outcome: 'cancelled' }],
    ]),
    family('offsite_job_seconds_total', 'counter', 'How long jobs that are over have run, all together.', [
      [seconds(jobTime)],
    ]),
    family(
      'offsite_node_state',
      'gauge',
      'Which state a node is in: 1 for that, 0 for the others.',
      nodes.flatMap(({ name, state: now }) =>
        [...new Set([...STATES, now])].map((state): Sample => [Number(state === now), { node: name, state }]),
      ),
    ),
    family(
      'offsite_node_cpus',
      'gauge',
      'Jobs that a node runs at once at most.',
      perNode((node) => node.cpus),
    ),
    family(
      'offsite_node_busy',
      'gauge',
      'Jobs that a node runs.',
      perNode((node) => node.busy),
    ),
    family(
      'offsite_node_load_ratio',
      'gauge',
      'How busy its processors are.',
      perNode((node) => node.load),
    ),
    ...(['memory', 'disk'] as const).flatMap((what) =>
      (['total', 'free'] as const).map((part) =>
        family(
          `offsite_node_${what}_${part === 'total' ? 'size' : 'free'}_bytes`,
          'gauge',
          `${what === 'memory' ? 'Memory' : 'Disk space'} of a node, ${part === 'total' ? 'in all' : 'free'}.`,
          perNode((node) => bytes(node, what, part)),
        ),
      ),
    ),
    family(
      'offsite_node_jobs_total',
      'counter',
      'Jobs that have ended on a node.',
      perNode((node) => node.jobs),
    ),
    family(
      'offsite_node_job_seconds_total',
      'counter',
      'How long jobs that are over have run on a node.',
      perNode((node) => seconds(node.jobTime)),
    ),
    family(
      'offsite_node_sent_bytes_total',
      'counter',
      'Bytes sent to a node.',
      perNode((node) => node.sent),
    ),
    family(
      'offsite_node_received_bytes_total',
      'counter',
      'Bytes received from a node.',
      perNode((node) => node.received),
    ),
    family(
      'offsite_node_last_news_time_seconds',
      'gauge',
      'When something was heard of a node last, since 1970.',
      perNode((node) => seconds(node.lastNews)),
    ),
  ].join('');
};

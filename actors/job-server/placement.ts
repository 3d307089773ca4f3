import type { NodeState } from '../../lib/fork/daemon/node-state.ts';

/** A node as a job server sees it; what is not known before its first site has started is not there. */
export interface NodeView {
  /** As people call it. */
  readonly name: string;
  /** Its server, as its user wrote it. */
  readonly server: string;
  readonly host?: string;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How many jobs it runs at once at most, and how many it runs now. */
  readonly cpus: number;
  readonly busy: number;
  readonly state: NodeStatus;
  readonly memory?: NodeState['memory'];
  readonly load?: number;
  readonly disk?: NodeState['disk'];
}

/**
 * How a node does: being found out, taking jobs, ending those that it has and taking no more, outside of its service
 * hours, out of reach, or given up.
 */
export type NodeStatus = 'starting' | 'serving' | 'draining' | 'closed' | 'lost' | 'dropped';

/** Where a job may run: on nodes for which all of it holds, or those for which a function says so. */
export type Placement = PlacementRules | ((node: NodeView) => boolean);

/** What a node must have. */
export interface PlacementRules {
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  /** So many processors in all. */
  readonly cpus?: number;
  /** So many bytes of memory that are free. */
  readonly memory?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Whether a job may run on a node. What is not known of a node does not rule it out: its first site will tell. */
export const suits = (view: NodeView, placement: Placement): boolean => {
  if (typeof placement === 'function') return placement(view) === true;
  const { platform, arch, cpus, memory, labels = {} } = placement;
  const holds = <T>(wanted: T | undefined, has: T | undefined, check: (has: T, wanted: T) => boolean) =>
    wanted === undefined || has === undefined || check(has, wanted);
  return (
    holds(platform, view.platform, Object.is) &&
    holds(arch, view.arch, Object.is) &&
    (cpus === undefined || view.cpus >= cpus) &&
    holds(memory, view.memory?.free, (has, wanted) => has >= wanted) &&
    Object.entries(labels).every(([name, value]) => view.labels[name] === value)
  );
};

/// <reference types="node" preserve="true" />
/**
 * What modules that run in the workers of a cluster need: `import { currentCluster } from 'offsite/cluster'` loads
 * nothing that starts sites, and little travels. `offsite` has the same names.
 */
export { currentCluster } from '../actors/cluster/current-cluster.ts';
export type { AddProcsOptions, AddProcsTarget } from '../actors/cluster/manager-of.ts';
export type {
  ArgsFor,
  ClusterCalls,
  ClusterView,
  EverywhereOptions,
  Lender,
  ResultOf,
  RmProcsOptions,
  Where,
} from '../actors/cluster/view.ts';
export {
  ClusterClosedError,
  type ExitedReason,
  InterruptedError,
  NoProcessError,
  ProcessExitedException,
  RemoteException,
  TopologyError,
} from './cluster/errors.ts';
export {
  type AnyFunction,
  type Callable,
  FunctionName,
  type FunctionsOf,
  functionsOf,
} from './cluster/functions.ts';

/// <reference types="node" preserve="true" />
/**
 * What modules that run in the workers of a cluster need: `import { currentCluster } from 'offsite/cluster'` loads
 * nothing that starts sites, and little travels. `offsite` has the same names.
 */

export type { AddProcsOptions } from '../actors/cluster/add-procs-options.ts';
export type { ArgsFor, ClusterCalls, Lender, ResultOf, Where } from '../actors/cluster/calls.ts';
export { currentCluster } from '../actors/cluster/current-cluster.ts';
export type { AddProcsTarget } from '../actors/cluster/manager-of.ts';
export type { ClusterView, EverywhereOptions, RmProcsOptions } from '../actors/cluster/view.ts';
export type {
  ArraysFor,
  CellfunOptions,
  CommonCellfunOptions,
  ElementFailure,
  ErrorHandler,
  Fold,
  FoldOptions,
  VectorizedOptions,
} from '../actors/network/cellfun.ts';
export { currentNetwork } from '../actors/network/current-network.ts';
export { ElementError } from '../actors/network/errors.ts';
export type { Evaluation } from '../actors/network/evaluation.ts';
export type { NetworkNode } from '../actors/network/node.ts';
export type {
  NetworkInfo,
  NetworkView,
  NodeChoice,
  NodeInfo,
  NodesChoice,
  Received as ReceivedMessage,
} from '../actors/network/view.ts';
export {
  type AnyWorkerPool,
  CachingPool,
  DefaultWorkerPool,
  type DistributedOptions,
  type Elements,
  type ExponentialBackoffOptions,
  exponentialBackoff,
  type ImapOptions,
  NoWorkerError,
  type ParallelOptions,
  type PmapOptions,
  PoolFullError,
  type Progress,
  progressBar,
  type Range,
  type RangeOrElements,
  type Reducer,
  type RetryOptions,
  retry,
  splitRange,
  WorkerPool,
  type WorkerPoolOptions,
} from '../actors/pool.ts';
export { UniformOutputError } from './cluster/arrays/errors.ts';
export { Broadcast, BroadcastError } from './cluster/broadcast/broadcast.ts';
export { DialError, DoorError } from './cluster/direct/errors.ts';
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
export { CommandError, NoNetworkError } from './cluster/messages/errors.ts';
export type { SelectOptions, SendOptions } from './cluster/messages/options.ts';
export type { MailboxBounds } from './cluster/messages/protocol.ts';
export { ChannelClosedError, FutureSetError, NoReferenceError } from './cluster/references/errors.ts';
export { Future } from './cluster/references/future.ts';
export type { FutureOptions } from './cluster/references/make.ts';
export { RemoteChannel } from './cluster/references/remote-channel.ts';
export type { ChannelStore, StoreOptions } from './cluster/references/store-cell.ts';

/// <reference types="node" preserve="true" />
export type { AddedProcs } from '../actors/cluster/added-procs.ts';
export { AddProcsError } from '../actors/cluster/added-procs.ts';
export { CommandManager, type CommandManagerOptions } from '../actors/cluster/command-manager.ts';
export { setDefaultCluster } from '../actors/cluster/current-cluster.ts';
export {
  ElasticManager,
  type ElasticManagerOptions,
  type ElasticWorkers,
} from '../actors/cluster/elastic-manager.ts';
export type { ClusterEvents, ClusterListener } from '../actors/cluster/lifecycle.ts';
export { LocalManager } from '../actors/cluster/local-manager.ts';
export { readMachineFile } from '../actors/cluster/machine-file.ts';
export type { MachineTarget, WorkerCount } from '../actors/cluster/machine-spec.ts';
export type { ClusterManager, LaunchRequest, WorkerConfig, WorkerEvent } from '../actors/cluster/manager.ts';
export type { ClusterOptions, Topology, WorkerLine } from '../actors/cluster/options.ts';
export { SlurmError, SlurmManager, type SlurmManagerOptions } from '../actors/cluster/slurm-manager.ts';
export { SSHManager } from '../actors/cluster/ssh-manager.ts';
export { Cluster } from '../actors/cluster.ts';
export { ControlError } from '../actors/control/errors.ts';
export { expose, unexpose } from '../actors/control.ts';
export { DaemonError } from '../actors/daemon/errors.ts';
export type { DaemonEnd, DaemonEvents } from '../actors/daemon/events.ts';
export type { DaemonOptions, ServiceHours } from '../actors/daemon/options.ts';
export type { ClientLine, DaemonControl, DaemonStatus } from '../actors/daemon/status.ts';
export {
  type SteeredControl,
  type SteerOptions,
  steerLocal,
  steerRemote,
  type WhichDaemon,
} from '../actors/daemon/steer.ts';
export { Daemon, type OpenDaemon } from '../actors/daemon.ts';
export type { JobServerEvents } from '../actors/job-server/events.ts';
export type { CancelOptions, Job } from '../actors/job-server/job.ts';
export type { JobOutput, JobStatus, ReceivedFile } from '../actors/job-server/job-record.ts';
export type { ArgLists } from '../actors/job-server/journal/args.ts';
export type { Acknowledgement, BatchResult } from '../actors/job-server/journal/deliveries.ts';
export { JournalDamagedError, JournalError, JournalHeldError } from '../actors/job-server/journal/errors.ts';
export { repairJournal } from '../actors/job-server/journal/folder.ts';
export type { JobBatch, ResultOptions } from '../actors/job-server/journal/job-batch.ts';
export type { FoldWords, ListsOf, MapOptions, MapWords } from '../actors/job-server/map.ts';
export type {
  Monitor as JobMonitor,
  MonitorOptions as JobMonitorOptions,
} from '../actors/job-server/monitor.ts';
export type { JobServerOptions, Preparation, ServerSpec } from '../actors/job-server/options.ts';
export type { NodeStatus, NodeView, Placement, PlacementRules } from '../actors/job-server/placement.ts';
export type { JobServerStats, NodeStats } from '../actors/job-server/stats.ts';
export type { Dependency, FileToSend, JobRetry, SubmitOptions } from '../actors/job-server/submit-options.ts';
export type { JobTarget, ProgramTarget } from '../actors/job-server/target.ts';
export type { JobTemplate } from '../actors/job-server/template.ts';
export type { JobArgs, JobOf, JobProvisional, JobResult } from '../actors/job-server/types.ts';
export { JobServer } from '../actors/job-server.ts';
export { type Bond, type Down, type DownReason, link, type Monitored, monitor } from '../actors/monitor.ts';
export type { NetworkHost, NetworkHostOptions } from '../actors/network/hosts.ts';
export type { LocalJobs, NetworkOptions } from '../actors/network/options.ts';
export { Network } from '../actors/network.ts';
export { type OfferOptions, offer, retract, type TakeOptions, take } from '../actors/offer.ts';
export { ElasticPool, type ElasticPoolOptions, type WorkerSource } from '../actors/pool/elastic-pool.ts';
export {
  ActorLogicError,
  type ActorSite,
  type ActorSiteSource,
  type CreateRemoteActorOptions,
  createRemoteActor,
  type DeadLetter,
  DeadLetterError,
  type DeadLetterListener,
  fromSite,
  type LogicName,
  type LogicOf,
  MailboxFullError,
  moveActor,
  type OneName,
  persist,
  type RemoteActor,
  type RemoteActorLogic,
  type RemoteActorOptions,
  type RemoteSnapshot,
} from '../actors/remote-actor.ts';
export type { AttachOptions, LinkOptions, RemoteManagerOptions } from '../actors/remote-manager/options.ts';
export type { OutputSink } from '../actors/remote-manager/output.ts';
export type { Fault, Health, ModuleTarget, SiteExit, SiteState } from '../actors/remote-manager.ts';
export { RemoteManager } from '../actors/remote-manager.ts';
export { tree } from '../actors/root.ts';
export type { Backoff } from '../actors/supervisor/backoff.ts';
export type { Child, ChildState } from '../actors/supervisor/child.ts';
export type {
  AutoShutdown,
  CheckedSpec,
  ChildSpec,
  ChildType,
  Restart,
  Shutdown,
  StartFunction,
  Supervised,
} from '../actors/supervisor/child-spec.ts';
export type { SupervisorClock } from '../actors/supervisor/clock.ts';
export {
  ChildStartError,
  ChildStateError,
  IntensityError,
  NoChildError,
  SupervisorClosedError,
} from '../actors/supervisor/errors.ts';
export type { ChildExit, ExitReason, SupervisorExit } from '../actors/supervisor/exit.ts';
export type { SupervisorOptions } from '../actors/supervisor/options.ts';
export type { ChildCounts, ChildInfo } from '../actors/supervisor/requests.ts';
export type { Strategy } from '../actors/supervisor/strategy.ts';
export { Supervisor } from '../actors/supervisor.ts';
export type { Credentials } from './access/credentials.ts';
export { AccessError, type AccessReason } from './access/errors.ts';
export * from './cluster.ts';
export { SitesFolderError } from './daemon/errors.ts';
export type { FoundNode, Search, Trial } from './discovery/node.ts';
export type { NodeChange, NodeWatch } from './discovery/watch.ts';
export type { TreeNode } from './engine/tree.ts';
export {
  type FindNodesOptions,
  findNodes,
  type WatchNodesOptions,
  watchNodes,
} from './fork/daemon/find-nodes.ts';
export type { NodeState } from './fork/daemon/node-state.ts';
export { ErrandError, ForkError, type ForkStep } from './fork/errors.ts';
export type { ForkMethod } from './fork/fork-method.ts';
export { virtualSites } from './fork/virtual.ts';
export {
  JobCancelledError,
  JobDependencyError,
  JobError,
  JobLostError,
  JobServerClosedError,
  JobTimeoutError,
  NoNodeError,
  ProgramError,
  QueueFullError,
  type ServerTrouble,
} from './jobs/errors.ts';
export * from './jobs.ts';
export {
  FreeVariableError,
  FunctorError,
  KeyTakenError,
  NativeAddonError,
  NotServedError,
  TypeScriptError,
} from './module/errors.ts';
export { from, functor } from './module/functor.ts';
export type { Functor, FunctorImports, ImportsOf, ModuleOf, Specifier } from './module/functor-text.ts';
export { isFunctor } from './module/functor-text.ts';
export { accept, connect, Peer, type PeerOptions } from './module/peer.ts';
export type { SystemModule, SystemModules } from './module/system-modules.ts';
export * from './site.ts';
export { TicketError, type TicketReason } from './ticket/errors.ts';
export { FolderError } from './ticket/folder.ts';
export type { TicketTerms } from './ticket/keys.ts';
export type { Limits } from './wire/limits.ts';

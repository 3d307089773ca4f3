import type { RemoteManager, RemoteManagerOptions, SiteExit } from '../remote-manager.ts';

/** How one worker is to be started, as a manager's `launch` tells it. */
export interface WorkerConfig {
  /** How its site is forked. */
  readonly site: RemoteManagerOptions;
  /** Where the worker lets other workers connect, `host[:port]`. @default the loopback address, any port */
  readonly bind?: string;
  /** Whether other workers reach it only through the process that added it. @default false */
  readonly tunnel?: boolean;
  /** Its name in a topology of the manager's own. */
  readonly ident?: string | number;
  /** Whom it may call in a topology of the manager's own, by their idents. */
  readonly connectIdents?: readonly (string | number)[];
  /** What the manager itself wants to know of it later; the same object in each of its calls. */
  readonly userdata?: unknown;
}

/** What `addProcs` asks of a manager. */
export interface LaunchRequest {
  /** What its caller has said of all workers; a worker's own `site` goes before it. */
  readonly defaults: RemoteManagerOptions;
  /** Aborted when the caller has given up. */
  readonly signal: AbortSignal;
}

/** What happens to a worker that its manager may want to know: Julia's `manage`. */
export type WorkerEvent = 'register' | 'deregister' | 'interrupt' | 'finalize';

/**
 * How the workers of a cluster come to be, after Julia's `ClusterManager`: whatever can give a command that leads to a
 * machine can be one. Only `launch` has to be there.
 */
export interface ClusterManager {
  /** Tells how each worker is to be started, as soon as it can be; its failure is that of those that are still missing. */
  launch(request: LaunchRequest): AsyncIterable<WorkerConfig> | Iterable<WorkerConfig>;
  /** Gives the worker's site. @default a RemoteManager of the config's `site` */
  connect?(config: WorkerConfig): RemoteManager | Promise<RemoteManager>;
  /** Is told what becomes of a worker; `finalize` is for one that never came up. */
  manage?(event: WorkerEvent, id: number, config: WorkerConfig): void | Promise<void>;
  /** Ends a worker that is removed. @default its site is closed */
  kill?(id: number, config: WorkerConfig, site: RemoteManager): Promise<void>;
  /** Why a worker has ended that nobody removed, as the end of a sentence; `undefined` if it knows no more than the exit. */
  explain?(exit: SiteExit, config: WorkerConfig): string | undefined;
  /** How many sites on one host may start at once: sshd refuses more than its MaxStartups. @default no bound */
  readonly maxParallel?: number;
}

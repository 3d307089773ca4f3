import { type DeathReason, nameError, OffsiteError } from '../wire/errors.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A function has thrown in another process of the cluster: Julia's `RemoteException`. What it threw is the cause. */
export class RemoteException extends OffsiteError {
  /** The process in which it ran. */
  readonly id: number;
  /** The stack over there, if an Error was thrown. */
  readonly remoteStack: string | undefined;

  constructor(id: number, cause: unknown) {
    super('ERR_OFFSITE_REMOTE', `On process ${id}: ${messageOf(cause)}`, { cause });
    this.id = id;
    this.remoteStack = cause instanceof Error ? cause.stack : undefined;
  }
}
nameError(RemoteException, 'RemoteException');

/** How a process of a cluster came to its end: a death of its site, or its removal. */
export type ExitedReason = DeathReason | 'removed' | 'closed';

/** What more is known of an end. */
interface ExitedDetails extends ErrorOptions {
  /** What has become of what was asked, as the end of a sentence. @default whether the call may have run */
  readonly what?: string | undefined;
  /** How it ended, in the words of who had started it. */
  readonly why?: string | undefined;
}

/** A process of the cluster is gone, and with it what was asked of it: Julia's `ProcessExitedException`. */
export class ProcessExitedException extends OffsiteError {
  readonly id: number;
  readonly reason: ExitedReason;
  /** Whether what was asked of it may have happened. */
  readonly mayHaveRun: boolean;

  constructor(
    id: number,
    reason: ExitedReason,
    mayHaveRun: boolean,
    { what, why, ...options }: ExitedDetails = {},
  ) {
    const how = why === undefined ? `(${reason})` : `(${reason}: ${why})`;
    const rest = what ?? (mayHaveRun ? 'the call may have run' : 'nothing was sent to it');
    super('ERR_OFFSITE_PROCESS_EXITED', `Process ${id} of the cluster has ended ${how}; ${rest}.`, options);
    this.id = id;
    this.reason = reason;
    this.mayHaveRun = mayHaveRun;
  }
}
nameError(ProcessExitedException, 'ProcessExitedException');

/** There never was a process with that id in the cluster. */
export class NoProcessError extends OffsiteError {
  readonly id: number;

  constructor(id: number, known: readonly number[]) {
    super(
      'ERR_OFFSITE_NO_PROCESS',
      `No process with the id ${id} exists in the cluster; there are ${known.join(', ')}.`,
    );
    this.id = id;
  }
}
nameError(NoProcessError, 'NoProcessError');

/** The cluster's topology does not let these two call each other. */
export class TopologyError extends OffsiteError {
  constructor(from: number, to: number, topology: string) {
    super(
      'ERR_OFFSITE_TOPOLOGY',
      `Process ${to} is not connected to process ${from}: the topology of the cluster is ${topology}. Call it from process 1, or make the cluster with the topology 'all_to_all'.`,
    );
  }
}
nameError(TopologyError, 'TopologyError');

/** A call was given up by `interrupt`, and not by its caller. */
export class InterruptedError extends OffsiteError {
  readonly id: number;

  constructor(id: number) {
    super(
      'ERR_OFFSITE_INTERRUPTED',
      `What ran in process ${id} was interrupted; code that never waits runs on until it returns.`,
    );
    this.id = id;
  }
}
nameError(InterruptedError, 'InterruptedError');

/** The cluster was closed, or this process has left it. */
export class ClusterClosedError extends OffsiteError {
  constructor(message = 'The cluster was closed; make a new one.') {
    super('ERR_OFFSITE_CLUSTER_CLOSED', message);
  }
}
nameError(ClusterClosedError, 'ClusterClosedError');

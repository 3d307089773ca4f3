import { nameError, OffsiteError } from '../../wire/errors.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Somebody waits for messages of a node where a command has failed: `ERR_OFFSITE_COMMAND`. The cause is the
 * RemoteException, and its cause what the command threw there.
 */
export class CommandError extends OffsiteError {
  /** The node where it failed. */
  readonly node: number;

  constructor(node: number, cause: unknown) {
    super(
      'ERR_OFFSITE_COMMAND',
      `A command that was evaluated at node ${node} has failed, so that what is waited for may never come: ${messageOf(cause)}`,
      { cause },
    );
    this.node = node;
  }
}
nameError(CommandError, 'CommandError');

/** This process is in no network, or does only elements of arrays for a node; `ERR_OFFSITE_NO_NETWORK`. */
export class NoNetworkError extends OffsiteError {
  constructor(message: string) {
    super('ERR_OFFSITE_NO_NETWORK', message);
  }
}
nameError(NoNetworkError, 'NoNetworkError');

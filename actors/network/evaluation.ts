import type { Commanded } from '../../lib/cluster/messages/messages.ts';
import { OptionError } from '../../lib/wire/errors.ts';

/**
 * A command that runs in some nodes. Awaited, it gives what each returned by its number, or rejects with the first
 * failure while the others run on; `at` and `settled` tell it of each.
 */
export class Evaluation<T = unknown> implements PromiseLike<ReadonlyMap<number, T>> {
  readonly #commands: ReadonlyMap<number, Commanded>;

  constructor(commands: ReadonlyMap<number, Commanded>) {
    this.#commands = commands;
  }

  /** The numbers of the nodes, in order. */
  get nodes(): number[] {
    return [...this.#commands.keys()];
  }

  /** What it gives at one node. Rejects with RemoteException, ProcessExitedException, and as calls do. */
  at(node: number): Promise<T> {
    const command = this.#commands.get(node);
    if (!command)
      throw new OptionError(
        'node',
        `This command runs in the nodes ${this.nodes.join(', ')}, and not in ${node}.`,
      );
    command.looked();
    return command.result as Promise<T>;
  }

  /** What has become of it at each node, when it is over everywhere. Never rejects. */
  async settled(): Promise<ReadonlyMap<number, PromiseSettledResult<T>>> {
    const results = await Promise.allSettled(this.nodes.map((node) => this.at(node)));
    return new Map(this.nodes.map((node, at) => [node, results[at]!]));
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for all its results
  then<A = ReadonlyMap<number, T>, B = never>(
    fulfilled?: ((results: ReadonlyMap<number, T>) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const nodes = this.nodes;
    return Promise.all(nodes.map((node) => this.at(node)))
      .then((results) => new Map(nodes.map((node, at) => [node, results[at]!])))
      .then(fulfilled, rejected);
  }
}

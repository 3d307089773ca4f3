import { CommandError } from './errors.ts';
import type { CommandName } from './protocol.ts';

/** A command that has failed at a node, of which somebody here has to be told. */
interface Failure {
  readonly node: number;
  readonly error: unknown;
  /** The command that runs here too, if it is not one that this process has asked for. */
  readonly command?: CommandName;
}

const keyOf = ({ from, number }: CommandName): string => `${from}:${number}`;

/** The commands that have failed elsewhere and that nobody here was told of yet. Each is told once. */
export class Failures {
  readonly #untold = new Set<Failure>();
  readonly #running = new Set<string>();
  /** The last command of each process that has begun here. */
  readonly #begun = new Map<number, number>();

  /** A command that this process has asked for has failed; what is returned takes it back, because it was told otherwise. */
  add(node: number, error: unknown): () => void {
    const failure = { node, error };
    this.#untold.add(failure);
    return () => this.#untold.delete(failure);
  }

  /** A command that runs here, or is about to, has failed at another node. */
  addOther(command: CommandName, node: number, error: unknown): void {
    const begun = command.number <= (this.#begun.get(command.from) ?? 0);
    // Whoever has done his part waits for nobody in it.
    if (begun && !this.#running.has(keyOf(command))) return;
    this.#untold.add({ node, error, command });
  }

  begin(command: CommandName): void {
    this.#running.add(keyOf(command));
    this.#begun.set(command.from, Math.max(command.number, this.#begun.get(command.from) ?? 0));
  }

  end(command: CommandName): void {
    const key = keyOf(command);
    this.#running.delete(key);
    for (const failure of this.#untold) {
      if (failure.command && keyOf(failure.command) === key) this.#untold.delete(failure);
    }
  }

  /** The error for who waits for one of these nodes, or for any; from then on it is told. */
  tell(of: readonly number[] | undefined): CommandError | undefined {
    for (const failure of this.#untold) {
      if (of && !of.includes(failure.node)) continue;
      this.#untold.delete(failure);
      return new CommandError(failure.node, failure.error);
    }
    return undefined;
  }

  /** Those that this process has asked for and that nobody was told of. */
  get forgotten(): CommandError[] {
    return [...this.#untold]
      .filter(({ command }) => !command)
      .map(({ node, error }) => new CommandError(node, error));
  }
}

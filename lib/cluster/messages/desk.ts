import { RemoteTarget } from '../../wire/reference/reference.ts';
import type { Broadcast } from '../broadcast/broadcast.ts';
import { ClusterClosedError } from '../errors.ts';
import type { FunctionText, Outcome } from '../function-text.ts';
import type { Messages } from './messages.ts';
import type { CommandName, Delivered, Layout, Message, MessagesService, Surroundings } from './protocol.ts';

/** Where other nodes bring messages and commands. */
export class MessagesDesk extends RemoteTarget implements MessagesService {
  #messages: Messages | undefined;

  /** From now on it is about these. Static, so that nobody else can call it. */
  static open(desk: MessagesDesk, messages: Messages): void {
    desk.#messages = messages;
  }

  get #open(): Messages {
    if (!this.#messages) throw new ClusterClosedError('This process is in no cluster yet.');
    return this.#messages;
  }

  async describe(): Promise<Surroundings> {
    return this.#open.describe();
  }

  async open(layout: Layout): Promise<void> {
    this.#open.open(layout);
  }

  async deliver(from: number, messages: readonly Message[]): Promise<Delivered> {
    return this.#open.deliver(from, messages);
  }

  async recall(from: number, number: number): Promise<void> {
    this.#open.recall(from, number);
  }

  async install(broadcast: Broadcast<Readonly<Record<string, unknown>>>): Promise<void> {
    await this.#open.install(broadcast);
  }

  async variables(): Promise<Readonly<Record<string, unknown>>> {
    return { ...this.#open.variables };
  }

  async adopt(node: number): Promise<void> {
    await this.#open.adopt(node);
  }

  async command(
    command: CommandName,
    nodes: readonly number[],
    fn: FunctionText,
    args: readonly unknown[],
  ): Promise<Outcome> {
    return this.#open.command(command, nodes, fn, args);
  }

  async failed(command: CommandName, node: number, error: unknown): Promise<void> {
    this.#open.failed(command, node, error);
  }
}

import { NoProcessError } from '../../lib/cluster/errors.ts';
import { type AnyFunction, type Callable, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { Member } from '../../lib/cluster/member.ts';
import { NoNetworkError } from '../../lib/cluster/messages/errors.ts';
import { messagesOf } from '../../lib/cluster/messages/messages.ts';
import { checkWait, type SelectOptions, type SendOptions } from '../../lib/cluster/messages/options.ts';
import type { Layout, NodeDescription } from '../../lib/cluster/messages/protocol.ts';
import { type CallOptions, checkCallOptions } from '../../lib/wire/call/options.ts';
import { callSignal } from '../../lib/wire/call/scope.ts';
import { OptionError } from '../../lib/wire/errors.ts';
import type { ArgsFor, ResultOf } from '../cluster/calls.ts';
import {
  type ArraysFor,
  type CellfunOptions,
  type CommonCellfunOptions,
  cellfun,
  type FoldOptions,
  type VectorizedOptions,
} from './cellfun.ts';
import { Evaluation } from './evaluation.ts';
import { NetworkNode } from './node.ts';

/** A node, or its number. */
export type NodeChoice = number | NetworkNode;

/** A node, or several. */
export type NodesChoice = NodeChoice | readonly NodeChoice[];

/** A value, and the number of the node that has sent it. */
export interface Received<T = unknown> {
  readonly from: number;
  readonly value: T;
}

/** What is known of one node. */
export interface NodeInfo extends Omit<NodeDescription, 'localJobs'> {
  /** Whether it is the node that asks. */
  readonly isSelf: boolean;
  /** Whether it is there. */
  readonly isOpen: boolean;
  /** How many processes on its host do elements of arrays, itself among them. */
  readonly nlocaljobs: number;
}

/** What is known of a network: Octave's `network_get_info`. */
export interface NetworkInfo {
  /** Unique among all networks everywhere. */
  readonly networkId: string;
  /** The number of the node that asks: Octave's `real_node_id`. */
  readonly self: number;
  readonly nodes: readonly NodeInfo[];
}

const numberOf = (choice: NodeChoice): number => (typeof choice === 'number' ? choice : choice.id);

/** A network as any of its nodes sees it: who is there, messages, commands, and work on arrays. */
export class NetworkView {
  readonly #member: Member;
  /** The nodes of the layout that they were made for. */
  #known: { layout?: Layout; nodes: readonly NetworkNode[] } = { nodes: [] };

  constructor(member: Member) {
    this.#member = member;
  }

  /** The number of this process in the network: 1 is the client. */
  get myid(): number {
    return this.#member.id;
  }

  /** All nodes in the same order everywhere, those that are gone too: `nodes[0]` is the client, whose number is 1. */
  get nodes(): readonly NetworkNode[] {
    const { layout } = this.#member.messages;
    if (this.#known.layout !== layout)
      this.#known = { layout, nodes: layout.nodes.map((node) => new NetworkNode(this, node)) };
    return this.#known.nodes;
  }

  /** All nodes but this one, as far as they are there. */
  get peers(): readonly NetworkNode[] {
    return this.nodes.filter(({ isSelf, isOpen }) => !isSelf && isOpen);
  }

  /** This node. Throws NoNetworkError in a process that only does elements of arrays for a node. */
  get self(): NetworkNode {
    const self = this.nodes.find(({ isSelf }) => isSelf);
    if (self) return self;
    const { nodes } = this.#member.messages.layout;
    const of = nodes.find(({ localJobs }) => localJobs.includes(this.myid));
    throw new NoNetworkError(
      `This process does elements of arrays for node ${of?.id ?? '(gone)'} and has no mailbox of its own; it has vars and can call nodes.`,
    );
  }

  /** What was installed in this process by `installVars`, by name. */
  get vars(): Readonly<Record<string, unknown>> {
    return this.#member.messages.variables;
  }

  /** Whether a node is there. Throws NoProcessError. */
  isOpen(node: NodeChoice): boolean {
    return this.#member.has(this.#numberOf(node)) && !this.#member.closed;
  }

  /**
   * Sends a value, which is data, to a node, in the order of all that this one sends it. Resolves when it is in the
   * mailbox there, so that who waits for it sends no more than is read. Rejects with UnserializableError;
   * ProcessExitedException if the node is gone; NoProcessError; TimeoutError, or the signal's reason: then it is dropped
   * unless it was read.
   */
  async send(value: unknown, to: NodeChoice, options: SendOptions = {}): Promise<void> {
    checkWait(options, ['timeout', 'signal'], 'send');
    void this.self;
    await this.#member.messages.send(this.#numberOf(to), value, options);
  }

  /**
   * Takes the next value that a node has sent here, or that any has, in turn. Rejects with CommandError if a command has
   * failed there, ProcessExitedException if nothing more can come, TimeoutError, or the signal's reason.
   */
  receive<T = unknown>(from: NodeChoice, options?: SendOptions): Promise<T>;
  receive<T = unknown>(options?: SendOptions): Promise<Received<T>>;
  async receive(first: NodeChoice | SendOptions = {}, second: SendOptions = {}): Promise<unknown> {
    const one = typeof first === 'number' || first instanceof NetworkNode;
    const { timeout, signal = callSignal() } = checkWait(
      one ? second : first,
      ['timeout', 'signal'],
      'receive',
    );
    void this.self;
    const received = await this.#member.messages.receive(one ? this.#numberOf(first) : undefined, {
      ...(timeout !== undefined && { timeout }),
      ...(signal && { signal }),
    });
    return one ? received.value : received;
  }

  /**
   * Waits until one of these nodes, or of all, has sent something that can be read, and gives all that have, in turn;
   * none if the time is over. Takes nothing. Rejects as `receive`.
   */
  async select(nodes?: NodesChoice, options: SelectOptions = {}): Promise<NetworkNode[]> {
    const { signal = callSignal(), ...more } = checkWait(options, ['timeout', 'signal', 'most'], 'select');
    void this.self;
    const of = nodes === undefined ? undefined : this.#numbers(nodes);
    const found = await this.#member.messages.select(of, { ...more, ...(signal && { signal }) });
    const all = this.nodes;
    return found.flatMap((id) => all.find((node) => node.id === id) ?? []);
  }

  /**
   * Has nodes call a function, or apply a functor that gives one, and does not wait. What fails is told by the
   * Evaluation, and to whoever waits for messages of that node, here and in the nodes that run the same command.
   * @default in all others that are there
   */
  evaluate<F extends AnyFunction>(
    fn: Callable<F>,
    nodes?: NodesChoice,
    ...args: ArgsFor<F>
  ): Evaluation<ResultOf<F>> {
    const ids = nodes === undefined ? this.peers.map(({ id }) => id) : this.#numbers(nodes);
    return new Evaluation(this.#member.messages.evaluate(ids, plain(nameOf(fn)), args));
  }

  /**
   * Calls a function at a node and gives what it returns. Rejects with RemoteException, whose cause is what it threw,
   * ProcessExitedException, TimeoutError, or the signal's reason.
   */
  async rfeval<F extends AnyFunction>(
    fn: Callable<F>,
    args: ArgsFor<F>,
    node: NodeChoice,
    options: CallOptions = {},
  ): Promise<ResultOf<F>> {
    const id = this.#numberOf(node);
    return (await this.#member.call(nameOf(fn), id, args, checkCallOptions(options))) as ResultOf<F>;
  }

  /**
   * Makes data readable as `currentNetwork().vars` in nodes and in their local jobs; it is passed on from node to node.
   * Rejects with UnserializableError, and as calls do. @default in all nodes, this one too
   */
  async installVars(vars: Readonly<Record<string, unknown>>, nodes?: NodesChoice): Promise<void> {
    if (typeof vars !== 'object' || vars === null || Array.isArray(vars))
      throw new OptionError('vars', 'Variables are given by their names: installVars({ name: value }).');
    const member = this.#member;
    const ids =
      nodes === undefined
        ? this.nodes.filter(({ isOpen }) => isOpen).map(({ id }) => id)
        : this.#numbers(nodes);
    const all = [...ids, ...this.localJobs(ids)];
    const broadcast = await member.broadcasts.make(
      { ...vars },
      all.filter((id) => id !== member.id),
    );
    try {
      await Promise.all(all.map((id) => member.ask(id, {}, (peer) => messagesOf(peer).install(broadcast))));
    } finally {
      // Each has it under its name now.
      await broadcast.free();
    }
  }

  /** The processes beside these nodes that do elements of arrays for them. */
  localJobs(nodes: readonly number[]): number[] {
    return this.#member.messages.layout.nodes
      .filter(({ id }) => nodes.includes(id))
      .flatMap(({ localJobs }) => localJobs)
      .filter((id) => this.#member.has(id));
  }

  /**
   * Calls a function for each element of one or more arrays of one length, with an element of each: Octave's
   * `netcellfun` and `netarrayfun`. Elements go to whichever process is free, in all nodes but the client and in their
   * local jobs; results are in the order of the elements. Rejects with ElementError, whose cause is the failure,
   * UniformOutputError, OptionError, NoWorkerError, TimeoutError, or the signal's reason; the network goes on.
   */
  cellfun<F extends AnyFunction>(
    fn: Callable<F>,
    arrays: ArraysFor<F>,
    options: FoldOptions<F>,
  ): Promise<Awaited<ReturnType<F>>>;
  cellfun<F extends (...columns: never[]) => ArrayLike<unknown> | Promise<ArrayLike<unknown>>>(
    fn: Callable<F>,
    arrays: Parameters<F>,
    options: VectorizedOptions,
  ): Promise<Awaited<ReturnType<F>>[number][]>;
  cellfun<F extends AnyFunction, Replacement = never>(
    fn: Callable<F>,
    arrays: ArraysFor<F>,
    options?: CellfunOptions<Replacement>,
  ): Promise<(Awaited<ReturnType<F>> | Replacement)[]>;
  async cellfun(
    fn: Callable<AnyFunction>,
    arrays: unknown,
    options: CommonCellfunOptions = {},
  ): Promise<unknown> {
    const { nodes, ...more } = options;
    const ids =
      nodes === undefined
        ? this.nodes.filter(({ id, isOpen }) => id !== 1 && isOpen).map(({ id }) => id)
        : this.#numbers(nodes);
    for (const id of ids) this.#member.check(id);
    return cellfun(this.#member, [...ids, ...this.localJobs(ids)], fn, arrays as ArrayLike<unknown>[], more);
  }

  /** What is known of all nodes. */
  info(): NetworkInfo {
    const { cluster, id: self, messages } = this.#member;
    return {
      networkId: cluster,
      self,
      nodes: messages.layout.nodes.map(({ localJobs, ...node }) => ({
        ...node,
        isSelf: node.id === self,
        isOpen: this.isOpen(node.id),
        nlocaljobs: node.id === 1 ? 0 : localJobs.length + 1,
      })),
    };
  }

  #numberOf(choice: NodeChoice): number {
    const id = numberOf(choice);
    if (this.nodes.some((node) => node.id === id)) return id;
    throw new NoProcessError(
      id,
      this.nodes.map((node) => node.id),
    );
  }

  #numbers(choice: NodesChoice): number[] {
    const choices = Array.isArray(choice) ? (choice as readonly NodeChoice[]) : [choice as NodeChoice];
    if (choices.length === 0)
      throw new OptionError('nodes', 'No node was named; leave it out for all of them.');
    return [...new Set(choices.map((each) => this.#numberOf(each)))];
  }
}
